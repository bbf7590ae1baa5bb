// Addresses of the server. A proxy may serve the page below a prefix, so every address is relative to this file.

const ROOT = new URL("../../", import.meta.url);

/** The address of a path of the server, which is given without a slash in front: `api/v1/runs`. */
export function serverAddress(path = "") {
    return new URL(path, ROOT).href;
}

/** The address of the WebSocket. */
export function socketAddress() {
    return serverAddress("ws").replace(/^http/, "ws");
}

/** The server's address as a person writes it, without a slash at the end. */
export function serverName() {
    return serverAddress().replace(/\/$/, "");
}
