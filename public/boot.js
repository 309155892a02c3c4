// Hydrates the islands of a page. Without WebAssembly, or without this file, the page is complete.
const own = document.querySelector("script[data-wasm]");
if (own && typeof WebAssembly === "object") {
  const module = await import(own.dataset.js);
  await module.default({ module_or_path: own.dataset.wasm });
  module.hydrate();
  for (const island of document.querySelectorAll("leptos-island")) {
    await module[island.dataset.component]?.(island);
  }
  document.body.dataset.hydrated = "";
}
