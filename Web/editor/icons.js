// The editor's pictures of kinds of nodes, by the names that their declarations give: strokes in a square of 20.
import { s } from "./dom.js";

const PATHS = {
  node: "M4 6h12v8H4z", hand: "M7 10V5m3 5V3.500m3 6.500V5m-6 5l-2-1.500c-1 1 2 7 5 7.500h2c2 0 3-2 3-4V7", webhook: "M10 5a3 3 0 1 1 2.500 4.500L14 14M8 8l-3 5a3 3 0 1 0 3 2h6",
  clock: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14m0 3v4l3 2", pencil: "M4 16l1-4L13 4l3 3l-8 8z", split: "M4 10h5l5-5m-5 5l5 5m2-10h-3m3 10h-3", aggregate: "M4 5h5l4 5l-4 5H4m9-5h4",
  sort: "M6 4v12m-3-3l3 3l3-3m3-8h5m-5 4h4m-4 4h2", limit: "M4 6h12M4 10h8M4 14h4", unique: "M4 6h12v8H4zm3 4h6", text: "M4 5h12M10 5v11", lock: "M5 9h10v7H5zm2 0V7a3 3 0 0 1 6 0v2",
  globe: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14M3 10h14M10 3c-5 5-5 9 0 14c5-5 5-9 0-14", compare: "M7 4v12M13 4v12M3 8h4m6 4h4", branch: "M4 10h4l4-5h4m-8 5l4 5h4", switch: "M4 10h4l4-6h4m-8 6h8m-8 0l4 6h4",
  filter: "M4 4h12l-4.500 6v6l-3-2v-4z", merge: "M4 5h4l4 5h4M4 15h4l4-5", loop: "M5 8a5.500 5.500 0 0 1 10-1m0-3v3h-3m3 5a5.500 5.500 0 0 1-10 1m0 3v-3h3", stop: "M7 3h6l4 4v6l-4 4H7l-4-4V7z", arrow: "M4 10h12m-4-4l4 4l-4 4",
  workflow: "M4 4h4v4H4zm8 8h4v4h-4zM6 8v3h8v1", subflow: "M4 4h12v12H4zm3 6h6", code: "M7 6l-4 4l4 4m6-8l4 4l-4 4", reply: "M8 5l-5 5l5 5m-5-5h9c3 0 5 2 5 5", file: "M5 3h7l3 3v11H5z", mail: "M3 5h14v10H3zm0 1l7 5l7-5",
  database: "M4 6c0-3 12-3 12 0v8c0 3-12 3-12 0zm0 0c0 3 12 3 12 0", cloud: "M6 15a3 3 0 0 1 0-6a4 4 0 0 1 8-1a3.500 3.500 0 0 1 0 7z", table: "M3 5h14v10H3zm0 4h14M8 5v10", rss: "M5 15h.01M5 10a5 5 0 0 1 5 5M5 5a10 10 0 0 1 10 10",
  bug: "M7 8h6v5a3 3 0 0 1-6 0zm0 0a3 3 0 0 1 6 0M4 7l3 2m6 0l3-2M4 15l3-2m6 0l3 2", alert: "M10 4l7 12H3zm0 5v3m0 2v.01", form: "M4 4h12v12H4zm3 4h6m-6 4h4", list: "M7 6h9M7 10h9M7 14h9M4 6h.01M4 10h.01M4 14h.01", note: "M4 4h12v8l-4 4H4z",
  image: "M3 5h14v10H3zm0 8l4-4l4 4l2-2l4 4M13 8h.01", qr: "M4 4h5v5H4zm7 0h5v5h-5zm-7 7h5v5H4zm7 0h2v2h-2zm3 3h2v2h-2z"
};

export const icon = (name) =>
  s("svg", { viewBox: "0 0 20 20", width: 20, height: 20, "aria-hidden": "true", class: "icon" }, s("path", { d: PATHS[name] ?? PATHS.node }));
