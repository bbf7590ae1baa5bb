// Colours of the style sheet, for what is painted on canvas.

/** Reads the current colours; `onChange` is called when the scheme changes between light and dark. */
export class Palette {
    #colours = {};

    constructor(onChange) {
        this.#read();
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
            this.#read();
            onChange();
        });
    }

    /** `{ line, broken }` for a trend of `std` or `gradient`. */
    trend(name) {
        return this.#colours[name];
    }

    #read() {
        const style = getComputedStyle(document.documentElement);
        const colour = (name) => style.getPropertyValue(`--${name}`).trim();
        for (const name of ["std", "gradient"]) {
            this.#colours[name] = { line: colour(name), broken: colour("alarm") };
        }
    }
}
