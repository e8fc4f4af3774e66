"""Run the sandbox supplier as a process: ``python -m infra.local.supplier --port 4570``."""

import argparse
from pathlib import Path

from infra.local.parents import end_with
from infra.local.supplier.orders import OrderBook
from infra.local.supplier.server import SandboxSupplier


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.supplier", description="The sandbox gift-card supplier."
    )
    parser.add_argument(
        "--port", type=int, default=0, help="TCP port on the loopback interface (default: any free one)"
    )
    parser.add_argument("--journal", type=Path, help="append each order to this file as a line of JSON")
    parser.add_argument("--parent", type=int, help="end with this process")
    arguments = parser.parse_args()
    if arguments.parent:
        end_with(arguments.parent)
    supplier = SandboxSupplier(arguments.port, OrderBook(arguments.journal))
    print(f"serving on {supplier.url}", flush=True)
    supplier.serve()


if __name__ == "__main__":
    main()
