// What to do about a step that failed, by what its error says of itself.
import { t } from "./dom.js";

const BY_STATUS = [[401, "http_refused"], [403, "http_refused"], [404, "http_not_found"], [408, "http_busy"], [429, "http_busy"]];

/// A sentence for the person who builds, or nothing where nothing better than the message is known.
export function advice(error) {
  if (!error?.code) return "";
  const key = `advice_${error.code === "http_error" ? ofStatus(error) : error.code}`;
  const text = t(key);
  return text === key ? "" : text;
}

function ofStatus(error) {
  const status = Number(error.details?.status ?? /status (\d{3})/.exec(error.message)?.[1]);
  return BY_STATUS.find(([one]) => one === status)?.[1] ?? (status >= 500 ? "http_broken" : "http_error");
}
