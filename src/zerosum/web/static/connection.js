// The line to the lab: commands with replies, descriptions, and frames. It is opened again where it breaks.

export function token() {
  return new URLSearchParams(window.location.search).get("token");
}

export function withToken(path) {
  const given = token();
  return given ? path + (path.includes("?") ? "&" : "?") + "token=" + encodeURIComponent(given) : path;
}

export class Connection {
  constructor(path, { onframes, onmessage, onstatus }) {
    this.path = path;
    this.handlers = { onframes, onmessage, onstatus };
    this.waiting = new Map();
    this.next = 1;
    this.open();
  }

  open() {
    this.socket = new WebSocket("ws://" + window.location.host + withToken(this.path));
    this.socket.binaryType = "arraybuffer";
    this.socket.addEventListener("open", () => this.handlers.onstatus(true));
    this.socket.addEventListener("message", (event) => {
      if (typeof event.data !== "string") return this.handlers.onframes(event.data);
      const message = JSON.parse(event.data);
      if (!("reply" in message)) return this.handlers.onmessage(message);
      const pending = this.waiting.get(message.reply);
      this.waiting.delete(message.reply);
      if (pending) message.error ? pending.fail(new Error(message.error)) : pending.done(message.value);
    });
    this.socket.addEventListener("close", () => {
      this.handlers.onstatus(false);
      for (const pending of this.waiting.values()) pending.fail(new Error("The lab does not answer."));
      this.waiting.clear();
      setTimeout(() => this.open(), 1000);
    });
  }

  // A message without a reply.
  tell(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  send(message) {
    return new Promise((done, fail) => {
      if (this.socket.readyState !== WebSocket.OPEN) return fail(new Error("The lab does not answer: is it still running?"));
      const id = this.next++;
      this.waiting.set(id, { done, fail });
      this.socket.send(JSON.stringify({ id, ...message }));
    });
  }
}
