// The worker in which Python runs.  It gets all its files from the page, which has checked their digests.

let session = null;

const script = (bytes) => URL.createObjectURL(new Blob([bytes], {type: "text/javascript"}));
const TYPES = {wasm: "application/wasm", json: "application/json", zip: "application/zip"};

async function start(files) {
    const network = self.fetch;
    // Pyodide fetches its parts by their addresses.
    self.fetch = async (address) => {
        const name = String(address).split("/").at(-1), bytes = files.get(name);
        return new Response(bytes, {status: bytes ? 200 : 404, headers: {"Content-Type": TYPES[name.split(".").at(-1)] ?? "text/plain"}});
    };
    const [{loadPyodide}, {default: createPyodideModule}, viz] = await Promise.all(
        ["pyodide.mjs", "pyodide.asm.mjs", "viz.js"].map((name) => import(script(files.get(name)))),
    );
    const pyodide = await loadPyodide({indexURL: new URL("/pyodide/", self.location.origin).href, createPyodideModule});
    self.fetch = network;
    const wheel = [...files.keys()].find((name) => name.endsWith(".whl"));
    pyodide.unpackArchive(files.get(wheel), "wheel");
    pyodide.registerJsModule("viz_js", await viz.instance());
    session = pyodide.runPython("from autograd.site.session import Session\nSession()");
}

self.onmessage = async ({data: {id, files, name, given}}) => {
    try {
        const result = files ? await start(files) : session.call(name, given);
        if (!files && result === undefined) throw new Error("the code has ended it");
        self.postMessage({id, result});
    } catch (error) {
        // After anything but an exception of Python's, such as an overflow of the stack, it cannot be used any more.
        self.postMessage({id, error: String(error?.message ?? error), hasEnded: !files && error?.name !== "PythonError"});
    }
};
