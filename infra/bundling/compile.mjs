// Compiles Python files to bytecode with CPython as WebAssembly.
// Usage: node compile.mjs PYODIDE_FOLDER JOBS, where JOBS is JSON: [{"folder": ..., "runs_at": ...}].
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodide, jobs] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(pyodide, "pyodide.mjs")).href);
const python = await loadPyodide({ env: { HOME: "/", PYTHONHASHSEED: "0" } });

python.runPython(`
import compileall
from py_compile import PycInvalidationMode

def compile_tree(folder, runs_at):
    return compileall.compile_dir(
        folder, maxlevels=64, quiet=1, force=True, optimize=0, stripdir=folder, prependdir=runs_at,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
`);
const compileTree = python.globals.get("compile_tree");
for (const [index, job] of JSON.parse(jobs).entries()) {
  const mount = `/job${index}`;
  python.mountNodeFS(mount, job.folder);
  if (!compileTree(mount, job.runs_at)) {
    console.error(`a file under ${job.folder} does not compile`);
    process.exit(1);
  }
}
