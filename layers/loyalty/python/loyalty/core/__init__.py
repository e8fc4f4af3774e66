"""What every feature stands on: clock, ids, money, errors, settings, table, telemetry, HTTP."""
