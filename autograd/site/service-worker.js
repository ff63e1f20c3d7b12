// Keeps the site's own files from the first visit on; the page loads Python's files and keeps them itself.

// The build writes VERSION and FILES before this line.
const OURS = `autograd site ${self.registration.scope} `, NAME = OURS + VERSION;

self.addEventListener("install", (event) => {
    const fresh = FILES.map((file) => new Request(file, {cache: "no-cache"}));
    event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
    const clean = async () => {
        for (const name of await caches.keys()) if (name.startsWith(OURS) && name !== NAME) await caches.delete(name);
        await self.clients.claim();
    };
    event.waitUntil(clean());
});

self.addEventListener("fetch", (event) => {
    const {request} = event, isOurs = request.method === "GET" && request.url.startsWith(self.registration.scope);
    if (!isOurs) return;
    const find = async () => (await (await caches.open(NAME)).match(request, {ignoreSearch: true})) ?? fetch(request);
    event.respondWith(find());
});
