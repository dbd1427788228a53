export function renderPage({ app, release, commit, track, instance }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(app)} ${escape(release)}</title>
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
<h1>Hello from ${escape(release)}</h1>
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
and a WebSocket at <code>/echo</code>.</p>
</main>
</body>
</html>
`;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escape(text) {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
