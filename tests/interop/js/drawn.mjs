// Pictures read by those that draw them: each of `[{kind, text}]` as JSON, on standard input, becomes what it shows.
// `svg` is a text for Graphviz as it would write it itself.
import { readFileSync } from "node:fs";
import { instance } from "@viz-js/viz";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html><body></body>");
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import("mermaid");
mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
const viz = await instance();

// What `encodeEntities` of mermaid makes of `#35;` until it draws.
const decoded = (text) => text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(code));

const readers = {
  async mermaid(text) {
    const { db, type } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const nodes = [...db.getVertices().values()];
    return {
      type,
      nodes: nodes.map(({ id, text, classes }) => ({ id, text: decoded(text), look: classes.join(" ") })),
      edges: db.getEdges().map(({ start, end, text, stroke, style }) => ({
        from: start, to: end, text: decoded(text), look: [stroke, ...(style ?? [])].join(" "),
      })),
    };
  },
  async dot(text) {
    const { name, objects, edges } = viz.renderJSON(text);
    return {
      type: name,
      nodes: objects.map(({ name, label, fillcolor }) => ({ id: name, text: label, look: fillcolor ?? "" })),
      edges: edges.map(({ tail, head, label, style, color }) => ({
        from: objects[tail].name, to: objects[head].name, text: label ?? "", look: [style, color].join(" ").trim(),
      })),
    };
  },
  svg: async (text) => viz.renderString(text, { format: "svg" }),
};

const shown = [];
for (const { kind, text } of JSON.parse(readFileSync(0, "utf8"))) shown.push(await readers[kind](text));
process.stdout.write(JSON.stringify(shown));
