// The parts of undici that src/soap/undici.ts puts together, as typed by the whole.
declare module "undici/lib/api/index.js" {
  const api: Record<string, unknown>;
  // biome-ignore lint/style/noDefaultExport: a CommonJS module has only a default
  export default api;
}

declare module "undici/lib/dispatcher/client.js" {
  import { Client } from "undici/index.js";
  // biome-ignore lint/style/noDefaultExport: a CommonJS module has only a default
  export default Client;
}

declare module "undici/lib/dispatcher/dispatcher.js" {
  import { Dispatcher } from "undici/index.js";
  // biome-ignore lint/style/noDefaultExport: a CommonJS module has only a default
  export default Dispatcher;
}

declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici/index.js";
  // biome-ignore lint/style/noDefaultExport: a CommonJS module has only a default
  export default Pool;
}
