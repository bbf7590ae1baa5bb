// Renders openapi.json as plain text and tables.

import { operationSection, schemaSection } from "./docs/sections.js";
import { contentsList } from "./docs/contents.js";
import { node } from "./docs/node.js";
import { serverAddress } from "./server-address.js";
import { element } from "./view/dom.js";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch"];

function operations(document) {
    return Object.entries(document.paths).flatMap(([path, item]) =>
        METHODS.filter((method) => method in item).map((method) => ({
            method,
            path,
            operation: item[method],
            parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])],
        })),
    );
}

function render(document) {
    const all = operations(document);
    const groups = document.tags.map((tag) => ({
        ...tag,
        operations: all.filter(({ operation }) => operation.tags?.includes(tag.name)),
    }));
    const schemas = Object.entries(document.components.schemas);
    element("contents").replaceChildren(contentsList(groups, schemas));
    element("reference").replaceChildren(
        node("h1", {}, `${document.info.title} API`),
        node("p", {}, document.info.description),
        ...securityText(document.components.securitySchemes),
        ...groups.flatMap((group) => [
            node("h2", {}, group.name),
            ...group.operations.map((operation) => operationSection(document, operation)),
        ]),
        node("h2", {}, "Schemas"),
        ...schemas.map(([name, schema]) => schemaSection(name, schema)),
    );
    // The target of the address did not exist when the page was loaded.
    if (location.hash !== "") window.document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

function securityText(schemes) {
    return Object.entries(schemes).map(([name, scheme]) =>
        node("p", {}, node("strong", {}, name), ` – ${scheme.description}`),
    );
}

try {
    const answer = await fetch(serverAddress("static/openapi.json"));
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    render(await answer.json());
} catch (error) {
    element("reference").replaceChildren(node("p", { class: "notice" }, `openapi.json could not be read: ${error.message}`));
}
