import { createServer } from "node:https";
import type { AddressInfo } from "node:net";

/**
 * Police that throw everything away and say yes, in a process of their own so that they cost the gateway nothing but the
 * cores. Arguments: key and certificate file. Prints its port; GET gives how many messages came.
 */

export const ACCEPTED =
  '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:matriculaResponse xmlns:m="http://dgp.gencat.cat/matricules"><m:codiRetorn>1</m:codiRetorn></m:matriculaResponse></s:Body></s:Envelope>';

if (import.meta.main) {
  const [keyPath = "", certPath = ""] = process.argv.slice(2);
  let received = 0;
  const [key, cert] = await Promise.all([Bun.file(keyPath).text(), Bun.file(certPath).text()]);
  const server = createServer({ key, cert }, (request, response) => {
    if (request.method === "GET") return void response.end(String(received));
    request.resume();
    request.on("end", () => {
      received += 1;
      response.writeHead(200, { "content-type": "text/xml" }).end(ACCEPTED);
    });
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}
