import express from "express";
import { streamEvents } from "./events.js";
import { renderPage, renderWritingOff } from "./page.js";
import { MAX_KEY_CHARACTERS, MAX_VALUE_BYTES, StoreUnavailable } from "./store.js";

const MAX_SLOW_MS = 60_000;

export function createRoutes({ identity, store, flags, stopping }) {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");

  app.use((req, res, next) => {
    res.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    next();
  });

  app.get("/", (req, res) => {
    sendPage(res, renderPage(identity));
  });

  app.get("/status", (req, res) => {
    if (stopping.aborted) res.status(503).json({ status: "stopping" });
    else res.json({ status: "ok" });
  });

  app.get("/version", (req, res) => res.json(identity));

  app.get("/events", (req, res) => streamEvents(res, { release: identity.release, stopping }));

  app.get("/get/:key", checkSizes, async (req, res) => {
    const { key } = req.params;
    const value = await store.get(key);
    if (value === null) res.status(404).json({ key, error: "Nothing is stored under this key." });
    else res.json({ key, value });
  });

  app.get("/set/:key/:value", checkSizes, async (req, res) => {
    const { key, value } = req.params;
    if (await flags.isOn("disableSET")) {
      refuseWriting(req, res);
      return;
    }
    await store.set(key, value);
    res.json({ key, value });
  });

  app.get("/slow/:ms", (req, res) => {
    const ms = /^\d{1,5}$/.test(req.params.ms) ? Number(req.params.ms) : NaN;
    if (!(ms <= MAX_SLOW_MS)) {
      res.status(400).json({ error: `The time must be whole milliseconds from 0 to ${MAX_SLOW_MS}.` });
      return;
    }
    const answer = setTimeout(
      () => res.json({ ms, release: identity.release, instance: identity.instance }),
      ms,
    );
    res.once("close", () => clearTimeout(answer));
  });

  app.use((req, res) => res.status(404).json({ error: "There is nothing at this address." }));
  app.use(answerError);
  return app;
}

/** 403: this is meant so. A 5xx would count as a failure of the release, and could end a canary. */
function refuseWriting(req, res) {
  res.status(403).vary("Accept");
  if (req.accepts(["json", "html"]) === "html") sendPage(res, renderWritingOff());
  else res.json({ error: "Writing is switched off at the moment (flag disableSET). Reading works." });
}

function sendPage(res, page) {
  res.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  res.type("html").send(page);
}

function checkSizes(req, res, next) {
  const { key, value = "" } = req.params;
  if (key.length > MAX_KEY_CHARACTERS) {
    res
      .status(400)
      .json({ error: `The key has ${key.length} characters; at most ${MAX_KEY_CHARACTERS} are allowed.` });
  } else if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    const bytes = Buffer.byteLength(value);
    res.status(400).json({ error: `The value has ${bytes} bytes; at most ${MAX_VALUE_BYTES} are allowed.` });
  } else {
    next();
  }
}

// Express tells an error handler by its four parameters.
function answerError(error, req, res, next) {
  if (res.headersSent) {
    next(error);
  } else if (error instanceof StoreUnavailable) {
    res.status(503).set("Retry-After", "1").json({ error: error.message });
  } else if (error.status >= 400 && error.status < 500) {
    res.status(error.status).json({ error: "This address cannot be read." });
  } else {
    console.error(error);
    res.status(500).json({ error: "Something went wrong on our side." });
  }
}
