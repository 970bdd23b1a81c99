import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../src/config.ts";
import { openDiskStore } from "../src/images/disk.ts";
import { openImages } from "../src/images/open.ts";
import { openS3Credentials, parseCredentials } from "../src/images/s3-credentials.ts";
import { ObjectStore, S3_KEYS } from "./support/object-store.ts";

const picture = new Uint8Array(300_000).map((_, index) => index * 7);
const PATH = "CAM 1/2026/05/04/20260504T100000000Z_plate-ñ1234_ocr.jpg";

async function listed(images: ReturnType<ObjectStore["create"]>): Promise<string[]> {
  const paths: string[] = [];
  for await (const { folder, files } of images.list()) {
    for (const { name } of files) paths.push(folder === "" ? name : `${folder}/${name}`);
  }
  return paths.sort();
}

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), "tattile-images-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe("pictures in an object store", () => {
  test("come back bit for bit under their relative path, and those that are absent are null", async () => {
    await using server = await ObjectStore.open();
    const images = server.create();
    expect(await images.put(PATH, picture)).toBe(true);
    await images.put("view.jpg", new Uint8Array(picture.buffer, 1000, 500));
    await images.flush();
    expect(await images.read(PATH)).toEqual(picture);
    expect(await images.read("data/images/view.jpg")).toEqual(picture.slice(1000, 1500));
    expect(await images.read("CAM/none.jpg")).toBeNull();
    expect([await images.has(PATH), await images.has("CAM/none.jpg")]).toEqual([true, false]);
    expect(await server.create({ prefix: "" }).read(`girona/images/${PATH}`)).toEqual(picture);
  });

  test("are replaced whole, and erased once and again", async () => {
    await using server = await ObjectStore.open();
    const images = server.create();
    await images.put(PATH, picture);
    await images.replace(PATH, picture.slice(1));
    expect(await images.read(PATH)).toEqual(picture.slice(1));
    await images.erase([PATH, "CAM/none.jpg"]);
    await images.erase([PATH]);
    expect(await images.read(PATH)).toBeNull();
  });

  test("are listed over many pages with their age, and nothing of another folder of the bucket", async () => {
    await using server = await ObjectStore.open();
    const images = server.create({ pageSize: 7, concurrency: 4 });
    const before = Date.now() - 2000;
    const paths = Array.from({ length: 40 }, (_, n) => `CAM${n % 3}/2026/${n}.jpg`);
    await Promise.all(paths.map((path) => images.put(path, new Uint8Array([1]))));
    await server.create({ prefix: "girona/quarantine/" }).put("2026-05-04/x.msg", new Uint8Array([1]));
    expect(await listed(images)).toEqual(paths.toSorted());
    for await (const { files } of images.list()) {
      for (const { modifiedAt } of files) expect(modifiedAt.getTime()).toBeGreaterThan(before);
    }
  });

  test("cannot lead out of their place", async () => {
    await using server = await ObjectStore.open();
    const images = server.create();
    await expect(images.put("../quarantine/x.msg", picture)).rejects.toThrow("leads out");
    await expect(images.read("a/../../b.jpg")).rejects.toThrow("leads out");
  });
});

describe("an object store that cannot be used", () => {
  const AWAY = { code: "store-unreachable" };

  test("is said to be unreachable whatever is asked of it, and never that a picture is absent", async () => {
    await using server = await ObjectStore.open();
    const images = server.create();
    await images.put(PATH, picture);
    await server.stop();
    for (const asked of [
      () => images.put(PATH, picture),
      () => images.replace(PATH, picture),
      () => images.read(PATH),
      () => images.has(PATH),
      () => images.erase([PATH]),
      () => listed(images),
    ]) {
      await expect(asked()).rejects.toMatchObject(AWAY);
    }
    await server.start();
    expect(await images.read(PATH)).toEqual(picture);
  });

  test("is given up at the deadline when it does not answer, and those who waited behind it too", async () => {
    await using server = await ObjectStore.open();
    const images = server.create({ deadlineMs: 200, concurrency: 2 });
    await images.put(PATH, picture);
    server.freeze();
    const asked = await Promise.allSettled([
      ...Array.from({ length: 5 }, (_, n) => images.put(`CAM/${n}.jpg`, picture)),
      listed(images),
    ]);
    for (const one of asked) expect(one).toMatchObject({ status: "rejected", reason: AWAY });
    server.thaw();
    expect(await server.create().read(PATH)).toEqual(picture);
  });

  test("gets what could not be erased meanwhile erased with the next that is", async () => {
    await using server = await ObjectStore.open();
    const images = server.create();
    for (const name of ["a.jpg", "b.jpg", "c.jpg"]) await images.put(name, picture);
    await server.stop();
    await expect(images.erase(["a.jpg", "b.jpg"])).rejects.toMatchObject(AWAY);
    await server.start();
    await images.erase(["c.jpg"]);
    expect(await listed(images)).toEqual([]);
  });

  test("is asked for one step of many erasures only, so that a picture to be written does not wait behind all of them", async () => {
    let asked: string[] = [];
    using silent = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        asked.push(`${request.method} ${new URL(request.url).pathname.split("/").at(-1)}`);
        return new Promise<Response>(() => {});
      },
    });
    await using server = await ObjectStore.open();
    const images = server.create({ endpoint: `http://127.0.0.1:${silent.port}`, deadlineMs: 200, concurrency: 4 });
    const many = Array.from({ length: 100 }, (_, n) => `${n}.jpg`);
    await expect(images.erase(many)).rejects.toMatchObject(AWAY);
    expect(asked).toHaveLength(4);
    asked = [];
    // What is owed from before is not tried before it is known that the store answers.
    const [erased, put] = [images.erase(["new.jpg"]), images.put("z.jpg", picture)];
    await expect(erased).rejects.toMatchObject(AWAY);
    await expect(put).rejects.toMatchObject(AWAY);
    expect(asked.filter((one) => one.startsWith("DELETE"))).toHaveLength(4);
    expect(asked).toContain("DELETE new.jpg");
    expect(asked).toContain("PUT z.jpg");
    silent.stop(true);
  });

  test("has 32 requests at once, and no more", async () => {
    let [now, most] = [0, 0];
    const answer = Promise.withResolvers<void>();
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async () => {
        now += 1;
        most = Math.max(most, now);
        if (most === 32) answer.resolve();
        await answer.promise;
        // Whoever else may come has come by then.
        await Bun.sleep(20);
        now -= 1;
        return new Response(null, { status: 200 });
      },
    });
    await using real = await ObjectStore.open();
    const images = real.create({ endpoint: `http://127.0.0.1:${server.port}` });
    await Promise.all(Array.from({ length: 100 }, (_, n) => images.put(`${n}.jpg`, new Uint8Array([1]))));
    expect(most).toBe(32);
  });

  test("that refuses one key for ever still erases all others", async () => {
    const present = new Set(Array.from({ length: 12 }, (_, n) => `${n}.jpg`));
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        const name = new URL(request.url).pathname.split("/").at(-1) ?? "";
        if (name === "3.jpg") return new Response("<Error><Code>AccessDenied</Code></Error>", { status: 403 });
        present.delete(name);
        return new Response(null, { status: 204 });
      },
    });
    await using real = await ObjectStore.open();
    const images = real.create({ endpoint: `http://127.0.0.1:${server.port}`, concurrency: 4 });
    await expect(images.erase([...present])).rejects.toThrow("AccessDenied");
    await expect(images.erase([])).rejects.toThrow("AccessDenied");
    expect([...present]).toEqual(["3.jpg"]);
  });

  test("because of its bucket or its keys is named so, without the key of the picture", async () => {
    await using server = await ObjectStore.open();
    const wrong = [
      [server.create({ bucket: "elsewhere" }), "NoSuchBucket"],
      [server.create({ credentials: () => ({ ...S3_KEYS, secretAccessKey: "wrong" }) }), "SignatureDoesNotMatch"],
      [server.create({ credentials: () => ({ ...S3_KEYS, accessKeyId: "nobody" }) }), "InvalidAccessKeyId"],
    ] as const;
    for (const [images, code] of wrong) {
      for (const asked of [() => images.put(PATH, picture), () => images.read(PATH), () => images.erase([PATH])]) {
        const error = await asked().catch((thrown: Error) => thrown);
        expect(error).toMatchObject(AWAY);
        expect(String(error)).toContain(code);
        expect(String(error)).not.toContain("1234");
      }
    }
  });
});

describe("the settings of an object store", () => {
  const load = (env: Record<string, string>, folder = "/") =>
    loadConfig({ env: { TATTILE_ENV_FILE: "/dev/null", ...env }, installed: false, folder }).config;

  test("name bucket, folder, endpoint and keys, also by the names of AWS", () => {
    expect(load({}).imagesUrl).toBeNull();
    const own = load({
      IMAGES_URL: "s3://tattile/girona/north/",
      IMAGES_S3_ENDPOINT: "https://minio.example:9000",
      AWS_REGION: "eu-south-2",
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
    });
    expect(own.imagesUrl).toEqual({
      bucket: "tattile",
      prefix: "girona/north/",
      endpoint: "https://minio.example:9000",
      region: "eu-south-2",
      credentials: { accessKeyId: "id", secretAccessKey: "secret", sessionToken: null },
      credentialsFile: null,
    });
  });

  test.each([
    [{ IMAGES_URL: "s3://" }, "IMAGES_URL must be"],
    [{ IMAGES_URL: "https://bucket" }, "IMAGES_URL must be"],
    [{ IMAGES_URL: "s3://bucket/../x", IMAGES_S3_CREDENTIALS_FILE: "/f" }, "IMAGES_URL must be"],
    [{ IMAGES_URL: "s3://bucket" }, "IMAGES_URL needs keys"],
    [{ IMAGES_URL: "s3://bucket", IMAGES_S3_ACCESS_KEY_ID: "id" }, "both or not at all"],
  ])("that cannot work stop the start: %p", (env, text) => {
    expect(() => load(env as Record<string, string>)).toThrow(text);
  });

  test("take keys from a file, and new ones without a restart", () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "credentials");
    const keys = openS3Credentials(null, file);
    expect(keys).toThrow("ENOENT");
    writeFileSync(
      file,
      "# ours\n[other]\naws_access_key_id=x\naws_secret_access_key=y\n[default]\nAWS_ACCESS_KEY_ID = id\naws_secret_access_key = a=b\n",
    );
    expect(keys()).toEqual({ accessKeyId: "id", secretAccessKey: "a=b", sessionToken: null });
    writeFileSync(file, "[default]\naws_access_key_id = new\naws_secret_access_key = s\naws_session_token = t\n");
    utimesSync(file, 1, 1);
    expect(keys()).toEqual({ accessKeyId: "new", secretAccessKey: "s", sessionToken: "t" });
    // Half-written at that moment: the last good ones go on.
    writeFileSync(file, "[default]\n");
    utimesSync(file, 2, 2);
    expect(keys().accessKeyId).toBe("new");
    expect(parseCredentials("")).toBeNull();
  });

  test("lead new pictures into the bucket, while those from before are still read and erased where they lie", async () => {
    await using server = await ObjectStore.open();
    using folder = temporaryFolder();
    const before = openDiskStore(join(folder.path, "data/images"));
    await before.put("CAM/old.jpg", picture);
    before.close();
    const images = openImages(load(server.settings, folder.path));
    await images.put("CAM/new.jpg", picture);
    expect(await images.read("CAM/old.jpg")).toEqual(Buffer.from(picture));
    expect(await server.create().read("CAM/new.jpg")).toEqual(picture);
    expect((await listed(images)).sort()).toEqual(["CAM/new.jpg", "CAM/old.jpg"]);
    await images.erase(["CAM/old.jpg", "CAM/new.jpg"]);
    expect(await listed(images)).toEqual([]);
    images.close();
  });
});
