// ---- Python in a worker: its files, its calls, and what stops it

class StoppedError extends Error {}
class EndedError extends Error {}

class Python {
    // files: the name, address, digest and size of each; notice: called with "loading" and a part from 0 to 1, "ready", "failed" and
    // an error, or "busy" and the number of unanswered calls.
    constructor(files, notice) {
        Object.assign(this, {files, notice, cache: "force-cache"});
        this.waiting = new Map(); // the calls that have not been answered
        this.count = 0;
        this.begin();
    }

    begin() {
        this.ready = this.start();
        this.ready.then(() => this.notice("ready"), (error) => error instanceof StoppedError || this.notice("failed", error));
    }

    async start() {
        this.notice("loading", 0);
        this.loaded ??= await this.load();
        const source = new Blob([this.loaded.get("worker.js")], {type: "text/javascript"}), address = URL.createObjectURL(source);
        // A worker made from a blob has the policy of this page, even if the server sends none.
        const worker = this.worker = new Worker(address, {type: "module"});
        worker.onmessage = ({data}) => this.receive(data);
        worker.onerror = (event) => this.fail(worker, new EndedError(event.message || "the worker has ended"));
        try {
            await this.send({files: this.loaded});
        } finally {
            URL.revokeObjectURL(address);
        }
    }

    // Load the files, from the cache of an earlier visit if they are there, each with its digest.
    async load() {
        const name = `autograd files ${new URL(".", location)}`;
        const cache = await globalThis.caches?.open(name).catch(() => undefined); // without a secure origin there is none
        const total = this.files.reduce((sum, {size}) => sum + size, 0), loaded = new Map();
        let done = 0, hasFailed = false;
        const load = async ({name, address, integrity, size}) => {
            const key = `${address}?${encodeURIComponent(integrity)}`, kept = await cache?.match(key);
            const response = kept ?? (await fetch(address, {integrity, cache: this.cache, credentials: "omit", referrerPolicy: "no-referrer"}));
            if (!response.ok) throw new Error(`${address}: ${response.status}`);
            const bytes = await response.arrayBuffer();
            if (!kept) await cache?.put(key, new Response(bytes)).catch(() => {}); // a full disk costs only the next visit
            loaded.set(name, bytes);
            if (!hasFailed) this.notice("loading", (done += size) / total);
        };
        await Promise.all(this.files.map(load)).catch((error) => {
            hasFailed = true;
            this.cache = "reload"; // with the same bytes, another attempt would fail as well
            throw error;
        });
        const wanted = new Set(this.files.map(({address, integrity}) => new URL(`${address}?${encodeURIComponent(integrity)}`, location).href));
        for (const {url} of (await cache?.keys()) ?? []) if (!wanted.has(url)) cache.delete(url);
        return loaded;
    }

    send(message) {
        const id = ++this.count;
        const answer = new Promise((done, fail) => this.waiting.set(id, {done, fail}));
        this.worker.postMessage({id, ...message});
        this.notice("busy", this.waiting.size);
        return answer;
    }

    receive({id, result, error, hasEnded}) {
        if (hasEnded) return this.restart(new EndedError(error));
        const {done, fail} = this.waiting.get(id) ?? {};
        this.waiting.delete(id);
        this.notice("busy", this.waiting.size);
        if (error === undefined) done?.(result);
        else fail?.(new Error(error));
    }

    // Call a method of the session with keyword arguments.
    async call(name, given) {
        await this.ready;
        return JSON.parse(await this.send({name, given: JSON.stringify(given)}));
    }

    // End the worker, whatever it is doing, and start another one; what it has not answered fails with an error.
    restart(error) {
        this.worker?.terminate();
        this.abandon(error);
        this.begin();
    }

    // End the worker after an error outside a call; later calls fail with it too, until `begin` starts another worker.
    fail(worker, error) {
        if (worker !== this.worker) return;
        worker.terminate();
        this.abandon(error);
        this.ready = Promise.reject(error);
        this.ready.catch(() => this.notice("failed", error));
    }

    abandon(error) {
        for (const {fail} of this.waiting.values()) fail(error);
        this.waiting.clear();
        this.notice("busy", 0);
    }
}
