/** One server-sent event. */
export interface SseEvent {
  /** The field `event`; `message` when there was none. */
  readonly name: string;
  readonly data: string;
}

/**
 * Reads server-sent events from text in pieces of any size: feed it a piece, it returns the events that this piece
 * completed. https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 * Comments and the fields `id` and `retry` are skipped; what the end of the stream leaves unfinished is no event.
 */
export function createSseParser(): (piece: string) => SseEvent[] {
  let rest = "";
  let name = "";
  let data: string[] = [];

  const takeLine = (line: string): SseEvent | undefined => {
    if (line === "") {
      const event = data.length === 0 ? undefined : { name: name || "message", data: data.join("\n") };
      name = "";
      data = [];
      return event;
    }
    const [, field = "", value = ""] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line) ?? [];
    if (field === "event") name = value;
    if (field === "data") data.push(value);
    return undefined;
  };

  return (piece) => {
    // A CR at the end waits: with the next piece's LF it is one line end, not two.
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    return lines.map(takeLine).filter((event) => event !== undefined);
  };
}
