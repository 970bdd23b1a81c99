/**
 * undici's client and pool without the rest of it (fetch, cache, WebSocket, mocks), which would cost a resting gateway
 * several megabytes. The request methods are mixed in as undici's own index does.
 */

import api from "undici/lib/api/index.js";
import Client from "undici/lib/dispatcher/client.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
import Pool from "undici/lib/dispatcher/pool.js";

Object.assign(Dispatcher.prototype, api);

export { Client, Pool };
