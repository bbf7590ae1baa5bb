// All keys of the page, for the help that `?` opens. A part of the page adds its own here.

/** `[{ title, keys: [[keys, what they do]] }]`; several keys of one row are separated by spaces. */
export const KEY_GROUPS = Object.freeze([
    {
        title: "Time",
        keys: [
            ["Space", "Stay at this step, or return to live; the training goes on"],
            ["← →", "Step back, step forward"],
            ["Home End", "First step, last step"],
            ["p", "Play the kept steps from here, or stop"],
            ["n N", "Next finding in time, previous one"],
            ["g", "Type a step to go to"],
        ],
    },
    {
        title: "Heatmap, while it has the focus",
        keys: [
            ["← →", "Previous column, next column; with Shift ten of them"],
            ["↑ ↓", "Layer above, layer below; with Shift ten of them"],
            ["PageUp PageDown", "Ten layers up, ten layers down"],
            ["Home End", "First column, last column"],
            ["f F", "Next finding by importance, previous one"],
            ["Enter", "Open the layer"],
            ["+ −", "Zoom layers in, out"],
            ["] [", "Zoom time in, out"],
            ["0 Esc", "Show all layers and steps"],
        ],
    },
    {
        title: "Names of the heatmap, while they have the focus",
        keys: [
            ["↑ ↓", "Group or layer above, below"],
            ["→ ←", "Unfold a group or enter it; fold it or go to its group"],
            ["Enter", "Fold or unfold; open a layer"],
        ],
    },
    {
        title: "Table of layers",
        keys: [
            ["/", "Filter by name; Enter opens the best match, Escape clears"],
            ["↑ ↓", "Row above, row below"],
            ["PageUp PageDown Home End", "Ten rows, first row, last row"],
            ["Enter", "Open the layer"],
            ["j k", "In an opened layer: the next one, the previous one"],
        ],
    },
    {
        title: "List of runs",
        keys: [
            ["r", "Filter by id, with more than 20 runs; Enter opens the first match, Escape clears"],
            ["↑ ↓", "Run above, run below"],
            ["Enter", "Show the run; show more runs"],
        ],
    },
    {
        title: "Mouse, in the heatmap and the scalars",
        keys: [
            ["Click, drag", "Move the cursor in time"],
            ["Drag over the axis or the names", "Zoom to these steps or layers"],
            ["Shift + drag", "Zoom to these steps and layers"],
            ["Wheel over the axis", "Zoom in time; elsewhere with Ctrl"],
            ["Double-click on the axis or the names", "Show all layers and steps"],
            ["Double-click on a cell", "Open the layer"],
        ],
    },
    {
        title: "Page",
        keys: [
            ["?", "This list"],
            ["Esc", "Close this list, or the opened layer"],
        ],
    },
]);
