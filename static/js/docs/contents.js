// The list of contents beside the reference.

import { node } from "./node.js";

/** The anchor of an operation. */
export function operationAnchor({ operation }) {
    return `operation-${operation.operationId}`;
}

/** The anchor of a schema. */
export function schemaAnchor(name) {
    return `schema-${name}`;
}

export function contentsList(groups, schemas) {
    const link = (anchor, ...text) => node("li", {}, node("a", { href: `#${anchor}` }, ...text));
    return node(
        "ul",
        {},
        ...groups.map((group) =>
            node("li", {}, group.name, node("ul", {}, ...group.operations.map((entry) =>
                link(operationAnchor(entry), `${entry.method.toUpperCase()} ${entry.path}`),
            ))),
        ),
        node("li", {}, "Schemas", node("ul", {}, ...schemas.map(([name]) => link(schemaAnchor(name), name)))),
    );
}
