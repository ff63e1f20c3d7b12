// The page's scripts are kept deflated, since not every server compresses what it hands out.
// INTEGRITY stands before this line: the build has written it.
const {body} = await fetch("site.bin", {integrity: INTEGRITY});
const script = await new Response(body.pipeThrough(new DecompressionStream("deflate"))).text();
await import(URL.createObjectURL(new Blob([script], {type: "text/javascript"})));
