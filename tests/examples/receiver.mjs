// An endpoint: an HTTPS server that keeps every delivery as it came, byte by byte.

import { createServer } from "node:https";

const patienceMs = 60_000;

/// `answer(delivery)`: the status to answer with. A delivery is { headers, body (a Buffer) }.
export async function startReceiver(test, { keyText, certText }, answer = () => 204) {
  const deliveries = [];
  const waiting = [];
  const server = createServer({ key: keyText, cert: certText }, (request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const delivery = { headers: request.headers, body: Buffer.concat(parts) };
      deliveries.push(delivery);
      response.writeHead(answer(delivery)).end();
      for (const look of waiting.splice(0)) look();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `https://127.0.0.1:${server.address().port}/hooks`,
    deliveries,
    /// Resolves once `count` deliveries are here.
    async arrived(count) {
      const timer = setTimeout(() => waiting.splice(0).forEach((look) => look(true)), patienceMs);
      while (deliveries.length < count) {
        const late = await new Promise((resolve) => waiting.push(resolve));
        if (late) throw new Error(`${deliveries.length} deliveries came, not ${count}`);
      }
      clearTimeout(timer);
      return deliveries;
    },
  };
}
