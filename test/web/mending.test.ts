import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openSite, type Site } from "../e2e/site.ts";
import { closeBrowser, openAs } from "./browser.ts";
import { sendReading } from "./staged-site.ts";

afterAll(closeBrowser);

async function openRefused(...plates: string[]): Promise<Site> {
  const site = await openSite();
  await site.addCameras("2001008851");
  await site.start();
  site.mossos.behave({ answer: { kind: "code", code: "12" } });
  for (const plate of plates) await sendReading(site, "2001008851", plate);
  await site.until((health) => health["dead_messages"] === plates.length);
  site.mossos.behave();
  return site;
}

test("a reading that was given up is understood, looked at, and sent again", async () => {
  await using site = await openRefused("1234BCD");
  await using view = await openAs(site, "operator");
  const { page } = view;
  await page.getByRole("heading", { name: "1 reading could not be delivered" }).waitFor();
  await page.getByText("the police refused with code 12").waitFor();
  await page.getByRole("link", { name: "Look at them" }).click();
  await page
    .getByRole("row", { name: /given up/ })
    .getByRole("link")
    .click();

  await page.getByText("Refused by the police").waitFor();
  expect(await page.locator(".life").textContent()).toContain("Received and safe on the disk");
  expect(await page.locator(".plate-text").textContent()).toBe("12•••CD");
  await page.getByRole("button", { name: "Show the plate" }).click();
  await page.getByText("1234BCD").waitFor();
  await page.getByRole("button", { name: "Show the pictures" }).click();
  for (const name of ["Picture of the plate", "Context picture"]) {
    const picture = page.getByRole("img", { name });
    await picture.waitFor();
    // Rejects what is no picture.
    await page.evaluate(`document.querySelector('img[alt="${name}"]').decode()`);
  }
  const { stdout } = await site.run("audit", "list", "--json");
  expect(stdout).toContain("plates show");
  expect(stdout.match(/image show/g)).toHaveLength(2);
  expect(stdout).toContain("token my operator (dashboard)");

  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("1 reading will be sent again now.").waitFor();
  await page.getByRole("heading", { name: "It is not in the queue any more." }).waitFor();
  expect(site.mossos.records.accepted()).toHaveLength(1);
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByRole("heading", { name: "Everything is delivered" }).waitFor();
  expect(view.problems).toEqual([]);
});

test("all that were given up for one reason are sent again by one button", async () => {
  await using site = await openRefused("1234BCD", "5678FGH", "9012JKL");
  await using view = await openAs(site, "operator", { width: 360 });
  await view.page.getByRole("button", { name: "Send again" }).click();
  await view.page.getByText("3 readings will be sent again now.").waitFor();
  await view.page.getByRole("heading", { name: "Everything is delivered" }).waitFor();
  expect(site.mossos.records.accepted()).toHaveLength(3);
});

test("a long queue is shown a hundred at a time, and more when asked for", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.start();
  site.mossos.behave({ answer: { kind: "code", code: "12" } });
  await site.send({ serials: ["2001008851"], total: 120 });
  await site.until((health) => health["dead_messages"] === 120);
  await using view = await openAs(site, "viewer");
  const { page } = view;
  await page.goto("/#/messages?state=DEAD");
  const rows = page.locator("tbody tr");
  await rows.nth(99).waitFor();
  expect(await rows.count()).toBe(100);
  await page.getByRole("button", { name: "Show more" }).click();
  await rows.nth(119).waitFor();
  await page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
});

test("discarding asks first, and only the answer yes erases", async () => {
  await using site = await openRefused("1234BCD", "5678FGH");
  await using view = await openAs(site, "operator");
  const { page } = view;
  await page.goto("/#/messages?state=DEAD");
  await page.getByRole("button", { name: "Discard these" }).click();
  await page.getByRole("dialog").getByText("cannot be undone").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Discard these" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await site.until((health) => health["dead_messages"] === 2);
  await page.getByRole("button", { name: "Discard these" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard these" }).click();
  await page.getByText("2 readings discarded and erased.").waitFor();
  await page.getByText("There is none.").waitFor();
  await site.until((health) => health["dead_messages"] === 0);
  expect(site.mossos.records.accepted()).toHaveLength(0);
});

test("a paused service is tried at once by one button, and goes on when the police are back", async () => {
  await using site = await openSite();
  await site.addCameras("2001008851");
  await site.start();
  await site.mossos.goDown();
  await sendReading(site, "2001008851", "1234BCD");
  await using view = await openAs(site, "operator");
  const { page } = view;
  await page.getByText("police is paused: it is not reached").waitFor();
  await page.getByRole("button", { name: "Try now" }).click();
  await page.getByText("One message is being tried now.").waitFor();
  await page.getByText("police is paused: it is not reached").waitFor();
  await site.mossos.comeBack();
  await page.getByRole("button", { name: "Try now" }).click();
  await page.locator(".balance .delivered dd").getByText("1", { exact: true }).waitFor();
  await page.getByText("police is paused").waitFor({ state: "detached" });
  const { stdout } = await site.run("audit", "list", "--json");
  expect(stdout.match(/endpoint try/g)).toHaveLength(2);
});

test("a camera that nobody registered is registered from the quarantine, and what was held is delivered", async () => {
  await using site = await openSite();
  await site.start();
  await sendReading(site, "2009999999", "1234BCD");
  await using view = await openAs(site, "admin");
  const { page } = view;
  await page.getByText("Readings are held of cameras that are not registered: 2009999999.").waitFor();
  await page.getByRole("link", { name: "Register", exact: true }).click();
  await page.getByLabel("Reader code").fill("CAM-NORD-01");
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByText("Camera 2009999999 is registered.").waitFor();
  await page.getByText("Nothing is held.").waitFor();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.locator(".balance .delivered dd").getByText("1", { exact: true }).waitFor();
  expect(site.mossos.records.accepted()[0]).toMatchObject({ readerCode: "CAM-NORD-01" });
  expect(view.problems).toEqual([]);
});

test("what a camera in quarantine needs beside its reader code is given from there, its serial filled in", async () => {
  await using site = await openSite();
  await site.start();
  await sendReading(site, "2009999999", "1234BCD");
  await using view = await openAs(site, "admin", { language: "ca-ES" });
  const { page } = view;
  await page.goto("/#/quarantine");
  // The code is the police's: nothing stands there that could be taken for it.
  const code = page.getByLabel("Codi de lector");
  expect([await code.inputValue(), await code.getAttribute("placeholder")]).toEqual(["", null]);
  await page.getByText("codiLector, el dona la policia").waitFor();
  await page.getByRole("link", { name: /coordenades.*2009999999/ }).click();
  const dialog = page.getByRole("dialog");
  expect(await dialog.getByLabel("Número de sèrie").inputValue()).toBe("2009999999");
  expect(await dialog.getByLabel("Codi de lector").inputValue()).toBe("");
  await dialog.getByLabel("Codi de lector").fill("CAM-NORD-01");
  await dialog.getByLabel("X (UTM 31N)").fill("431234.50");
  await dialog.getByLabel("Y (UTM 31N)").fill("4588123.00");
  await dialog.getByRole("button", { name: "Dona d’alta" }).click();
  await page.getByText("La càmera 2009999999 està donada d’alta.").waitFor();
  expect(await page.evaluate("location.hash")).toBe("#/registry/cameras");
  await page.getByRole("link", { name: "Resum" }).click();
  await page.locator(".balance .delivered dd").getByText("1", { exact: true }).waitFor();
  expect(site.mossos.records.accepted()[0]).toMatchObject({ readerCode: "CAM-NORD-01" });
});

test("a certificate is dropped on the page, a wrong password is said, and what waited is delivered", async () => {
  await using site = await openSite();
  await site.run("municipality", "add", "Olot", "--endpoint", "police");
  await site.run("camera", "add", "2001008852", "--reader", "CAM-OLOT-01", "--municipality", "Olot");
  await site.start();
  await sendReading(site, "2001008852", "1234BCD");
  await site.until((health) => health["dead_messages"] === 1);
  await using view = await openAs(site, "admin");
  const { page } = view;
  await page.getByText("Olot has cameras but no certificate").waitFor();
  await page.getByRole("listitem").filter({ hasText: "Olot has cameras" }).getByRole("link").click();
  expect(await page.getByLabel("For the municipality").inputValue()).toBe("Olot");

  const drop = async (name: string, bytes: Uint8Array): Promise<void> => {
    const transfer = await page.evaluateHandle(
      `(() => {
        const bytes = Uint8Array.from(atob("${Buffer.from(bytes).toString("base64")}"), (c) => c.charCodeAt(0));
        const transfer = new DataTransfer();
        transfer.items.add(new File([bytes], ${JSON.stringify(name)}));
        return transfer;
      })()`,
    );
    await page.dispatchEvent(".drop", "drop", { dataTransfer: transfer });
  };
  await drop("holiday.jpg", new Uint8Array(10));
  await page.getByText("This is no PFX file").waitFor();
  await drop("olot.pfx", readFileSync(join(site.folder, "vila.pfx")));
  await page.getByText("File: olot.pfx").waitFor();
  await page.getByLabel("Password of the file").fill("wrong");
  await page.getByRole("button", { name: "Import" }).click();
  expect(await page.getByRole("alert").textContent()).toMatch(/password/i);
  await page.getByLabel("Password of the file").fill("secret");
  await page.getByRole("button", { name: "Import" }).click();
  await page.getByText("The certificate of Olot is in use now.").waitFor();
  await page.getByRole("row", { name: /^Olot/ }).waitFor();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.locator(".balance .delivered dd").getByText("1", { exact: true }).waitFor();
  expect(view.problems).toEqual([]);
});

test("a certificate can be chosen without a mouse", async () => {
  await using site = await openSite();
  await site.start();
  await using view = await openAs(site, "admin");
  const { page } = view;
  await page.goto("/#/certificates");
  await page.locator('input[type="file"]').setInputFiles(join(site.folder, "vila.pfx"));
  await page.getByText("File: vila.pfx").waitFor();
  // The password is asked for next, and Enter is enough.
  await page.keyboard.type("secret");
  await page.keyboard.press("Enter");
  await page.getByText("The certificate of Vila is in use now.").waitFor();
});
