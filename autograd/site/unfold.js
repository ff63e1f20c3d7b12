// The page's scripts are kept deflated, because not every server compresses the files that it serves.
// The build writes INTEGRITY before this line.
const {body} = await fetch("site.bin", {integrity: INTEGRITY});
const script = await new Response(body.pipeThrough(new DecompressionStream("deflate"))).text();
await import(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
