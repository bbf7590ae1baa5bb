// A schema in one line: its type, its bounds, links to the schemas it names.

import { schemaAnchor } from "./contents.js";
import { node } from "./node.js";

const BOUNDS = [
    ["minimum", "≥"],
    ["exclusiveMinimum", ">"],
    ["minLength", "length ≥"],
    ["maxLength", "length ≤"],
    ["minItems", "items ≥"],
    ["maxItems", "items ≤"],
];

/** Nodes and strings that describe the type. */
export function typeText(schema) {
    if (schema === undefined) return ["any"];
    if (schema.$ref !== undefined) {
        const name = schema.$ref.split("/").at(-1);
        return [node("a", { href: `#${schemaAnchor(name)}` }, name)];
    }
    const choices = schema.oneOf ?? schema.anyOf;
    if (choices !== undefined) return choices.flatMap((choice, index) => [index > 0 ? " or " : null, ...typeText(choice)]);
    if (schema.const !== undefined) return [`\`${JSON.stringify(schema.const)}\``];
    if (schema.enum !== undefined) {
        return schema.enum.flatMap((value, index) => [index > 0 ? ", " : null, `\`${JSON.stringify(value)}\``]);
    }
    const type = [schema.type ?? "any"].flat();
    return type.flatMap((name, index) => [index > 0 ? " or " : null, ...namedType(name, schema)]);
}

function namedType(name, schema) {
    if (name === "array") return ["list of ", ...typeText(schema.items)];
    if (name === "object" && typeof schema.additionalProperties === "object") {
        return ["object of ", ...typeText(schema.additionalProperties)];
    }
    return [name];
}

/** The bounds in words, such as "≥ 0"; empty when there are none. */
export function boundsText(schema) {
    return BOUNDS.filter(([key]) => schema[key] !== undefined)
        .map(([key, sign]) => `${sign} ${schema[key]}`)
        .join(", ");
}
