// One section per operation and per schema.

import { operationAnchor, schemaAnchor } from "./contents.js";
import { node } from "./node.js";
import { boundsText, typeText } from "./schema-text.js";

export function operationSection(document, entry) {
    const { method, path, operation, parameters } = entry;
    return node(
        "section",
        { id: operationAnchor(entry), class: "operation" },
        node("h3", {}, node("span", { class: "method" }, method.toUpperCase()), " ", node("code", {}, path)),
        node("p", {}, `${operation.summary}.`),
        operation.description === undefined ? null : node("p", {}, operation.description),
        node("p", { class: "soft" }, accessText(operation.security)),
        parameters.length === 0 ? null : parameterTable(parameters),
        operation.requestBody === undefined ? null : bodyText("Body: ", operation.requestBody.content),
        responseTable(document, operation.responses),
    );
}

export function schemaSection(name, schema) {
    return node(
        "section",
        { id: schemaAnchor(name), class: "schema" },
        node("h3", {}, name),
        schema.description === undefined ? null : node("p", {}, schema.description),
        schema.properties === undefined ? node("p", {}, ...typeText(schema)) : propertyTable(schema),
    );
}

function accessText(security) {
    if (security === undefined || security.length === 0) return "Needs no token.";
    const scopes = new Set(security.flatMap((choice) => Object.values(choice).flat()));
    if (scopes.size === 0) return `Needs ${security.flatMap(Object.keys).join(" or ")}.`;
    return `Needs scope ${[...scopes].map((scope) => `\`${scope}\``).join(" or ")} (${security.flatMap(Object.keys).join(" or ")}).`;
}

function bodyText(label, content) {
    if (content === undefined) return null;
    return node("p", {}, label, ...Object.entries(content).flatMap(([type, media], index) => [
        index > 0 ? ", " : null, ...typeText(media.schema), ` as \`${type}\``,
    ]));
}

function table(headings, rows) {
    return node(
        "div",
        // On a narrow screen it scrolls sideways, so the keyboard must reach it.
        { class: "table", tabindex: "0" },
        node(
            "table",
            {},
            node("thead", {}, node("tr", {}, ...headings.map((heading) => node("th", { scope: "col" }, heading)))),
            node("tbody", {}, ...rows.map((cells) => node("tr", {}, ...cells.map((cell) => node("td", {}, ...[cell].flat()))))),
        ),
    );
}

function parameterTable(parameters) {
    return table(
        ["Parameter", "In", "Type", "Meaning"],
        parameters.map((parameter) => [
            `\`${parameter.name}\``,
            parameter.in,
            [...typeText(parameter.schema), parameter.required ? "" : " (optional)"],
            parameter.description ?? "",
        ]),
    );
}

function responseTable(document, responses) {
    const resolve = (response) =>
        response.$ref === undefined ? response : document.components.responses[response.$ref.split("/").at(-1)];
    const rows = Object.entries(responses).map(([status, reference]) => {
        const response = resolve(reference);
        return [status, response.description, [bodyText("", response.content)], Object.keys(response.headers ?? {}).join(", ")];
    });
    return table(["Status", "Meaning", "Body", "Headers"], rows);
}

function propertyTable(schema) {
    const required = new Set(schema.required ?? []);
    const rows = Object.entries(schema.properties).map(([name, property]) => {
        const bounds = boundsText(property);
        return [
            `\`${name}\``,
            [...nested(property), bounds === "" ? null : `, ${bounds}`, required.has(name) ? null : " (optional)"],
            property.description ?? "",
        ];
    });
    return table(["Field", "Type", "Meaning"], rows);
}

/** An object written inside another one has no name to link to: its fields follow in place. */
function nested(property) {
    return property.properties === undefined ? typeText(property) : [propertyTable(property)];
}
