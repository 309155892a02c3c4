// @ts-check
/** Another site, with a page that means harm. */
import { createServer } from 'node:http';

/**
 * Serves `html` at every address of a free port, under a name of another site and of our own.
 * @param {string} html
 */
export async function serveElsewhere(html) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    /** Another site to the browser: cookies of ours that are `Lax` stay at home. */
    crossSite: `http://127.0.0.1:${address.port}`,
    /** The same site, another origin: our cookies come along. */
    sameSite: `http://localhost:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** @param {string} text */
export function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
