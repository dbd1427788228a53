export function renderPage({ app, release, commit, track, instance }) {
  return layout(
    `${escape(app)} ${escape(release)}`,
    `<h1>Hello from ${escape(release)}</h1>
<p>You pushed, Sluice released, and this answered:</p>
<dl>
<dt>App</dt><dd>${escape(app)}</dd>
<dt>Release</dt><dd>${escape(release)}</dd>
<dt>Commit</dt><dd><code>${escape(commit)}</code></dd>
<dt>Track</dt><dd>${escape(track)}</dd>
<dt>Instance</dt><dd>${escape(instance)}</dd>
</dl>
<p>More to try: <a href="/version">version</a>, <a href="/status">status</a>, <a href="/events">events</a>,
<a href="/slow/2000">a slow answer</a>, <code>/set/greeting/hello</code> and then <a href="/get/greeting">/get/greeting</a>,
and a WebSocket at <code>/echo</code>.</p>`,
  );
}

/** What `/set` answers while the flag disableSET is on. */
export function renderWritingOff() {
  return layout(
    "Writing is switched off",
    `<h1>Writing is switched off</h1>
<p>Nothing was changed: <code>/set</code> is switched off at the moment, by the feature flag <code>disableSET</code>.</p>
<p>Reading works: <a href="/get/greeting">/get/greeting</a>. <a href="/">Back to the start</a></p>`,
  );
}

/** `title` and `main` are HTML. */
function layout(title, main) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif; }
body { max-width: 40rem; margin: 10vh auto; padding: 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
