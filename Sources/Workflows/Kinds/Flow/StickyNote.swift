/// A note on the canvas: part of the document, never of a run.
enum StickyNote {
    static let kind = NodeKind(
        kind: "sticky_note", category: .action, title: "Note", summary: "A note on the canvas.", icon: "note",
        parameters: [
            Parameter(
                "content", .text, "Text", default: "## I'm a note \n**Double click** to edit me. [Guide](https://docs.n8n.io/workflows/sticky-notes/)"
            ),
            Parameter("height", .number, "Height", default: 160), Parameter("width", .number, "Width", default: 240),
            Parameter("color", .number, "Color", default: 1)
        ], inputs: .fixed([]), outputs: .fixed([]), n8nTypes: ["n8n-nodes-base.stickyNote"])
}
