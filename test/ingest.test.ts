import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { createServer, Socket } from "node:net";
import { join } from "node:path";
import { DEFAULT_TAG_ALIASES } from "../src/camera/fields.ts";
import { systemClock } from "../src/clock.ts";
import type { Config } from "../src/config.ts";
import { createIngest } from "../src/ingest.ts";
import type { IncomingMessage, Intake } from "../src/intake.ts";
import { silentLog } from "../src/log.ts";
import { openSocketCalls, type SocketCalls } from "../src/socket-calls.ts";
import type { IntakeResult } from "../src/store/store.ts";
import { connectCamera } from "./support/camera-socket.ts";
import { xmlMessage } from "./support/messages.ts";
import { seededRandom } from "./support/random.ts";

const sample = readFileSync(new URL("./fixtures/samples/read-full.xml", import.meta.url));

const socketCalls = openSocketCalls();

interface Held {
  message: IncomingMessage;
  commit(result?: IntakeResult): void;
  fail(): void;
}

/** An intake whose commits the test lets happen. @param keepsBytes the test also says when messages are written to files */
function heldIntake(keepsBytes = false) {
  const held: Held[] = [];
  let arrived: (() => void) | undefined;
  const intake: Intake = {
    accept: (message) =>
      new Promise((resolve, reject) => {
        if (!keepsBytes) message.release();
        held.push({
          message,
          commit: (result = "queued") => resolve(result),
          fail: () => reject(new Error("disk full")),
        });
        arrived?.();
      }),
    stats: { waiting: 0, commits: 0, committed: 0, failures: 0 },
    drain: async () => {},
  };
  const waitFor = async (count: number): Promise<void> => {
    const deadline = Date.now() + 3000;
    while (held.length < count && Date.now() < deadline) {
      await new Promise<void>((resolve) => {
        arrived = resolve;
        setTimeout(resolve, 50);
      });
    }
    expect(held.length).toBeGreaterThanOrEqual(count);
  };
  return { intake, held, waitFor };
}

const transit: Config["transit"] = {
  host: "127.0.0.1",
  port: 0,
  allow: [],
  maxConnections: 100,
  maxMessageBytes: 1024 * 1024,
  tagAliases: DEFAULT_TAG_ALIASES,
  bufferBytes: 64 * 1024 * 1024,
  idleTimeoutMs: 60_000,
  messageTimeoutMs: 60_000,
  dedupeDays: 30,
};

async function startIngest(
  change: Partial<Config["transit"]> = {},
  keepsBytes = false,
  calls: Partial<SocketCalls> = {},
) {
  const { intake, held, waitFor } = heldIntake(keepsBytes);
  const ingest = createIngest({
    transit: { ...transit, ...change },
    intake,
    socketCalls: { ...socketCalls, ...calls },
    clock: systemClock,
    log: silentLog,
  });
  const port = await ingest.listen();
  return { ingest, port, held, waitFor, [Symbol.asyncDispose]: () => ingest.close(100) };
}

describe("the camera's side of a connection", () => {
  test("sees our FIN only after the commit, and not one byte", async () => {
    await using server = await startIngest();
    await using camera = await connectCamera(server.port);
    await camera.write(sample);
    camera.halfClose();
    await server.waitFor(1);
    expect(await camera.ended(150)).toBe("open");
    server.held[0]?.commit();
    expect(await camera.ended()).toBe("fin");
    expect(camera.received).toBe(0);
  });

  test("may say the brand in a tag that the configuration names", async () => {
    const tagAliases = { ...DEFAULT_TAG_ALIASES, brandTags: ["MARCA"] };
    await using server = await startIngest({ tagAliases });
    await using camera = await connectCamera(server.port);
    await camera.write(xmlMessage({ BRAND: "no", MARCA: "SEAT" }));
    await server.waitFor(1);
    expect(server.held[0]?.message.parsed).toMatchObject({ reading: { facts: { brand: "SEAT" } } });
  });

  test("sees a reset when what it sent could not be stored", async () => {
    await using server = await startIngest();
    await using camera = await connectCamera(server.port);
    await camera.write(sample);
    camera.halfClose();
    await server.waitFor(1);
    server.held[0]?.fail();
    expect(await camera.ended()).toBe("reset");
  });

  test("sees a reset after a failed commit on a connection it keeps open too", async () => {
    await using server = await startIngest();
    await using camera = await connectCamera(server.port);
    await camera.write(sample);
    await server.waitFor(1);
    server.held[0]?.fail();
    expect(await camera.ended()).toBe("reset");
  });

  test("sees a reset when its FIN cuts a message off, and the fragment completes nothing", async () => {
    await using server = await startIngest();
    await using camera = await connectCamera(server.port);
    await camera.write(sample.subarray(0, sample.length - 3));
    camera.halfClose();
    await server.waitFor(1);
    expect(server.held[0]?.message.parsed.kind).toBe("malformed");
    server.held[0]?.commit("quarantined");
    expect(await camera.ended()).toBe("reset");
  });

  test("is kept open between messages, and two messages in one write are two", async () => {
    await using server = await startIngest();
    await using camera = await connectCamera(server.port);
    await camera.write(Buffer.concat([sample, sample]));
    await server.waitFor(2);
    expect(server.held.length).toBe(2);
    for (const item of server.held) item.commit();
    await camera.write(sample);
    await server.waitFor(3);
    server.held[2]?.commit();
    expect(await camera.ended(100)).toBe("open");
  });

  test("may pause in the middle of a message", async () => {
    await using server = await startIngest();
    await using camera = await connectCamera(server.port);
    await Bun.sleep(100);
    await camera.write(sample.subarray(0, 5000));
    await Bun.sleep(1500);
    await camera.write(sample.subarray(5000));
    await server.waitFor(1);
    expect(server.held[0]?.message.parsed.kind).toBe("reading");
    server.held[0]?.commit();
  });

  test("feels back-pressure while its messages wait for their commit", async () => {
    await using server = await startIngest();
    await using camera = await connectCamera(server.port);
    for (let n = 0; n < 80; n++) camera.socket.write(sample);
    await server.waitFor(24);
    await Bun.sleep(200);
    expect(server.held.length).toBeLessThan(48);
    for (let n = 0; n < 80; n++) {
      await server.waitFor(n + 1);
      server.held[n]?.commit();
      await Bun.sleep(2);
    }
    expect(server.held.length).toBe(80);
  });

  test("is not read while ingest is held, and goes on where it stopped", async () => {
    await using server = await startIngest();
    server.ingest.hold("disk nearly full");
    await using camera = await connectCamera(server.port);
    await camera.write(sample);
    await Bun.sleep(150);
    expect(server.held.length).toBe(0);
    server.ingest.hold(null);
    await server.waitFor(1);
    server.held[0]?.commit();
  });

  test("is reset when it falls silent in the middle of a message", async () => {
    await using server = await startIngest({ idleTimeoutMs: 200 });
    await using camera = await connectCamera(server.port);
    await camera.write(sample.subarray(0, 1000));
    expect(await camera.ended(4000)).toBe("reset");
    expect(server.held.length).toBe(0);
    expect(server.ingest.stats().cut).toBe(1);
  });

  test("is reset when a message takes longer than it may, however it drips", async () => {
    await using server = await startIngest({ messageTimeoutMs: 600 });
    await using camera = await connectCamera(server.port);
    const drip = setInterval(() => camera.socket.write("<A>1</A>"), 50);
    camera.socket.write("<root>");
    expect(await camera.ended(5000)).toBe("reset");
    clearInterval(drip);
  });

  test("is reset at the size limit, with the memory given back", async () => {
    await using server = await startIngest({ maxMessageBytes: 64 * 1024 });
    await using camera = await connectCamera(server.port);
    camera.socket.write("<root>");
    for (let n = 0; n < 40; n++) camera.socket.write(Buffer.alloc(8192, 65));
    await server.waitFor(1);
    server.held[0]?.commit("quarantined");
    expect(await camera.ended()).toBe("reset");
    expect(server.ingest.stats().heldBytes).toBe(0);
  });
});

describe("a process that dies before it looked at a connection it accepted", () => {
  for (const [listener, ending, why] of [
    ["armed", "reset", "so the camera sends again"],
    ["unarmed", "fin", "which a camera takes for success: what arming the listener is for"],
  ] as const) {
    test(`ends it with a ${ending} where the listener is ${listener}, ${why}`, async () => {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, "support/dying-ingest.ts"), listener], {
        stdout: "pipe",
      });
      const { value } = await child.stdout.getReader().read();
      await using camera = await connectCamera(Number(new TextDecoder().decode(value)));
      expect(await camera.ended(5000)).toBe(ending);
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
    });
  }
});

describe("who may connect", () => {
  test("a stranger is reset before a byte is read", async () => {
    await using server = await startIngest({ allow: ["10.0.0.0/8"] });
    const camera = await connectCamera(server.port);
    camera.socket.write(sample);
    expect(await camera.ended()).toBe("reset");
    expect(server.held.length).toBe(0);
    expect(server.ingest.stats().refused).toBe(1);
  });

  test("an address of the list is let in", async () => {
    await using server = await startIngest({ allow: ["127.0.0.0/8", "10.1.2.3"] });
    await using camera = await connectCamera(server.port);
    await camera.write(sample);
    await server.waitFor(1);
    server.held[0]?.commit();
  });

  test("beyond INGEST_MAX_CONNECTIONS a connection is reset, and those that are there go on", async () => {
    await using server = await startIngest({ maxConnections: 1 });
    await using first = await connectCamera(server.port);
    await first.write(sample.subarray(0, 10));
    await using second = await connectCamera(server.port);
    expect(await second.ended()).toBe("reset");
    await first.write(sample.subarray(10));
    await server.waitFor(1);
    server.held[0]?.commit();
  });

  test("a thousand connections may wait to be accepted", async () => {
    await using server = await startIngest();
    const table = Bun.spawnSync(["ss", "-Hltn", `sport = :${server.port}`]).stdout.toString();
    expect(table.trim().split(/\s+/)[2]).toBe("1024");
  });

  test("a taken port is named with its holder", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const failure = await startIngest({ port }).catch((error: unknown) => error);
    expect(String(failure)).toContain(`port ${port} is taken by`);
    expect(String(failure)).toContain(`pid ${process.pid}`);
    other.close();
  });
});

describe("receiving past the runtime", () => {
  const numbered = (n: number): Buffer =>
    Buffer.from(sample.toString("latin1").replace(/<PLATE_STRING>[^<]*/, `<PLATE_STRING>${1000 + n}BBB`), "latin1");
  const plateOf = ({ message }: Held): string =>
    /<PLATE_STRING>([^<]*)/.exec(Buffer.from(message.bytes).toString())?.[1] ?? "";

  /** What arrives of one message, then silence, in which the runtime waits for more, and 59 written at once with a FIN. */
  async function sendSixty(calls: Partial<SocketCalls>): Promise<string[]> {
    await using server = await startIngest({}, true, calls);
    await using camera = await connectCamera(server.port);
    const plates: string[] = [];
    await camera.write(numbered(0));
    for (let n = 0; n < 60; n++) {
      if (n === 1) {
        await Bun.sleep(50);
        for (let more = 1; more < 60; more++) camera.socket.write(numbered(more));
        camera.halfClose();
      }
      await server.waitFor(n + 1);
      const held = server.held[n];
      if (held === undefined) break;
      plates.push(plateOf(held));
      held.message.release();
      held.commit();
    }
    expect(await camera.ended()).toBe("fin");
    return plates;
  }
  const sixty = Array.from({ length: 60 }, (_, n) => `${1000 + n}BBB`);

  test("takes nearly all of what a camera sends as fast as it can, in order", async () => {
    let received = 0;
    const plates = await sendSixty({
      receive(socket, room) {
        const bytes = socketCalls.receive(socket, room);
        received += Math.max(0, bytes);
        return bytes;
      },
    });
    expect(plates).toEqual(sixty);
    expect(received / (60 * numbered(0).length)).toBeGreaterThan(0.5);
  });

  test("may come in any pieces, mixed with what the runtime reads", async () => {
    const random = seededRandom("pieces");
    const plates = await sendSixty({
      arrivedBytes: (socket) => (random.below(3) === 0 ? 0 : socketCalls.arrivedBytes(socket)),
      receive: (socket, room) => socketCalls.receive(socket, room.subarray(0, 1 + random.below(room.length))),
    });
    expect(plates).toEqual(sixty);
  });

  test("goes behind what the runtime has read already", async () => {
    const sockets: Socket[] = [];
    await using server = await startIngest({}, false, {
      resetOnClose(socket) {
        if (socket instanceof Socket) sockets.push(socket);
        return socketCalls.resetOnClose(socket);
      },
    });
    await using camera = await connectCamera(server.port);
    await Bun.sleep(50);
    server.ingest.hold("a test");
    sockets[0]?.push(sample.subarray(0, 100_000));
    await camera.write(sample.subarray(100_000));
    await Bun.sleep(50);
    server.ingest.hold(null);
    await server.waitFor(1);
    expect(server.held[0]?.message.parsed.kind).toBe("reading");
  });

  test.each([-1, 0])("the runtime reads what the system does not give (%p)", async (answer) => {
    expect(await sendSixty({ receive: () => answer })).toEqual(sixty);
  });

  test("a camera that has ended hears so while ingest is busy with others", async () => {
    await using server = await startIngest({ bufferBytes: 3 * 512 * 1024 });
    await using busy = await connectCamera(server.port);
    await busy.write(sample.subarray(0, 60_000));
    await using camera = await connectCamera(server.port);
    await camera.write(sample.subarray(0, sample.length - 3));
    camera.halfClose();
    await server.waitFor(1);
    server.held[0]?.commit("quarantined");
    expect(await camera.ended()).toBe("reset");
  });
});

describe("memory for unfinished messages", () => {
  test("whole messages that are not written to files yet count too: nobody is read until there is room", async () => {
    await using server = await startIngest({ bufferBytes: 512 * 1024 - 1 }, true);
    await using first = await connectCamera(server.port);
    await first.write(sample);
    await server.waitFor(1);
    await using second = await connectCamera(server.port);
    await second.write(sample);
    await Bun.sleep(200);
    expect(server.held).toHaveLength(1);
    server.held[0]?.message.release();
    await server.waitFor(2);
    server.held[1]?.message.release();
  });

  test("connections that wait receive no more each time there is room for a few of them", async () => {
    const sockets: Socket[] = [];
    const server = await startIngest({ bufferBytes: 1024 * 1024 }, true, {
      resetOnClose(socket) {
        if (socket instanceof Socket) sockets.push(socket);
        return socketCalls.resetOnClose(socket);
      },
    });
    const copies = Math.ceil((4 * 1024 * 1024) / sample.length);
    const cameras = await Promise.all(Array.from({ length: 40 }, () => connectCamera(server.port)));
    for (const camera of cameras) for (let n = 0; n < copies; n++) camera.socket.write(sample);
    let most = 0;
    for (let n = 0; n < 300; n++) {
      await server.waitFor(n + 1);
      server.held[n]?.message.release();
      server.held[n]?.commit();
      most = Math.max(
        most,
        sockets.reduce((sum, socket) => sum + socket.readableLength, 0),
      );
    }
    // The runtime reads half a megabyte of a connection at a time, and here 160 MB wait to be received.
    expect(most).toBeLessThan(4 * 1024 * 1024);
    for (const camera of cameras) await camera[Symbol.asyncDispose]();
    await server.ingest.close(0);
  });

  test("nobody begins a message while enough pictures wait to be written; what has begun goes on", async () => {
    await using server = await startIngest({ bufferBytes: 4 * 1024 * 1024 - 1 }, true);
    await using begun = await connectCamera(server.port);
    await begun.write(sample.subarray(0, 60_000));
    await using first = await connectCamera(server.port);
    await first.write(sample);
    await server.waitFor(1);
    await using later = await connectCamera(server.port);
    await later.write(sample);
    await begun.write(sample.subarray(60_000));
    await server.waitFor(2);
    await Bun.sleep(200);
    expect(server.held).toHaveLength(2);
    for (const { message } of server.held) message.release();
    await server.waitFor(3);
    server.held[2]?.message.release();
  });

  test("above the budget only the message that began first is read, and in the end all arrive", async () => {
    await using server = await startIngest({ bufferBytes: 3 * 512 * 1024 });
    const cameras = await Promise.all(Array.from({ length: 8 }, () => connectCamera(server.port)));
    for (const camera of cameras) await camera.write(sample.subarray(0, 60_000));
    await Bun.sleep(100);
    for (const camera of cameras) camera.socket.write(sample.subarray(60_000));
    await server.waitFor(8);
    for (const item of server.held) item.commit();
    expect(server.ingest.stats().heldBytes).toBe(0);
    for (const camera of cameras) await camera[Symbol.asyncDispose]();
  });
});

describe("stopping", () => {
  test("waits for the commit of what it has, then resets: the camera sends the rest again", async () => {
    const server = await startIngest();
    await using camera = await connectCamera(server.port);
    await camera.write(sample);
    await server.waitFor(1);
    const closing = server.ingest.close(5000);
    await Bun.sleep(50);
    expect(await camera.ended(50)).toBe("open");
    server.held[0]?.commit();
    await closing;
    expect(await camera.ended()).toBe("reset");
  });
});
