// Commands that post a first step to this server, to copy.

/**
 * Commands, `[{ label, text }]`.
 * @param server the server's address without a slash at the end
 * @param runId the run to post to; null for a new one
 * @param isProtected whether the server requires a token
 */
export function firstCommands({ server, runId = null, isProtected = false }) {
    const name = runId ?? "first";
    const token = { label: "A token with the scope ingest, as the server prints it", text: "export NN_MONITOR_TOKEN=..." };
    const begin = runId === null ? `project="demo", name=${python(name)}` : `id=${python(name)}`;
    const lines = [
        "import nnmonitor as nnm",
        `run = nnm.init(${begin}, url=${python(server)})`,
        'nnm.log({"train/loss": 0.31}, step=1)',
    ];
    const address = `${server}/api/v2/runs/${encodeURIComponent(name)}/steps`;
    const step = '{"step": 1, "scalars": {"train/loss": 0.31}}';
    // A part a line, so that all of it is in view.
    const curl = [
        `curl ${shell(address)}`,
        "-H 'Content-Type: application/json'",
        ...(isProtected ? ['-H "Authorization: Bearer $NN_MONITOR_TOKEN"'] : []),
        `-d '${step}'`,
    ];
    return [
        ...(isProtected ? [token] : []),
        { label: "The Python client, from a checkout of NNMonitor", text: "pip install ./clients/python" },
        { label: "Three lines of Python", text: lines.join("\n") },
        { label: "Or one step without the client", text: curl.join(" \\\n  ") },
    ];
}

/** What else a first post may need, as a sentence; empty if nothing. */
export function commandNote({ server }) {
    if (!server.startsWith("https:")) return "";
    return "If the machine of the trainer does not trust the server's certificate, set NN_MONITOR_FINGERPRINT as the server "
        + "prints it when it starts; curl needs --cacert with the certificate.";
}

/** A text as a Python string: JSON's escapes are among Python's. */
function python(text) {
    return JSON.stringify(text);
}

/** A text as one word of a shell. */
function shell(text) {
    return `'${text.replaceAll("'", "'\\''")}'`;
}
