import { expect } from "bun:test";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { openServer } from "../support/tls-server.ts";
import type { Fault, IllSite } from "./ill-site.ts";

const WSDL = readFileSync(new URL("../fixtures/matricules.wsdl", import.meta.url), "utf8");

/** What can be wrong on the way to the police, and with their clock and contract. */
export function policeFaults(ill: IllSite): Record<string, Fault> {
  const { file, endpointAt, serverWith } = ill;
  return {
    "this machine's clock is ahead of the time server's": {
      plant: () => {
        ill.time.offsetMs = -120_000;
        return { undo: () => (ill.time.offsetMs = 0) };
      },
      finds: { check: "clock, NTP", grade: "bad", text: /120\.\d s ahead of/, cure: /timedatectl set-ntp true/ },
    },
    "the time server does not answer": {
      plant: () => {
        ill.time.offsetMs = null;
        return { undo: () => (ill.time.offsetMs = 0) };
      },
      finds: { check: "clock, NTP", grade: "warning", text: /no answer/, cure: /UDP port 123/ },
    },
    "the police's clock is wrong": {
      plant: () => {
        ill.site.mossos.setClockOffset(90_000);
        return { undo: () => ill.site.mossos.setClockOffset(0) };
      },
      finds: { check: "endpoint police, clock", grade: "bad", text: /\d\d\.\d s behind/, cure: /tell the police/ },
    },
    "the endpoint's name is not known": {
      plant: async () => ({ undo: await endpointAt("https://nowhere.invalid/matr-ws") }),
      finds: {
        check: "endpoint police, name",
        grade: "bad",
        text: /nowhere\.invalid/,
        cure: /endpoint set police --url/,
      },
    },
    "nobody listens at the endpoint": {
      plant: async () => ({ undo: await endpointAt("https://127.0.0.1:1/matr-ws") }),
      finds: { check: "endpoint police, connection", grade: "bad", text: /refused/, cure: /firewall/ },
    },
    "the endpoint takes the connection and says nothing": {
      plant: async () => {
        const mute = createServer(() => {});
        await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
        const restore = await endpointAt(`https://127.0.0.1:${(mute.address() as { port: number }).port}/`);
        return { undo: () => Promise.all([restore(), mute.close()]) };
      },
      finds: { check: "endpoint police, TLS", grade: "bad", text: /no answer in time/, cure: /look what answers/ },
    },
    "no TLS is spoken at the endpoint": {
      plant: async () => {
        const plain = await openServer(null, (_request, response) => response.end());
        const restore = await endpointAt(`https://127.0.0.1:${plain.port}/`);
        return { undo: () => Promise.all([restore(), plain[Symbol.asyncDispose]()]) };
      },
      finds: { check: "endpoint police, TLS", grade: "bad", text: /TLS/, cure: /--url/ },
    },
    "the police's authority is not the one that is trusted": {
      plant: async () => {
        const other = ill.pki.issue({ subject: "/CN=Another CA", authority: true, issuer: null });
        return { undo: await endpointAt(ill.site.mossos.url, "--ca", other.certPath) };
      },
      finds: {
        check: "endpoint police, TLS",
        grade: "bad",
        text: /unknown authority/,
        cure: /endpoint set police --ca FILE/,
      },
    },
    "the file of the authority is gone": {
      plant: async () => {
        cpSync(file("ca.pem"), file("lost.pem"));
        const undo = await endpointAt(ill.site.mossos.url, "--ca", file("lost.pem"));
        rmSync(file("lost.pem"));
        return { undo };
      },
      finds: { check: "endpoint police, TLS", grade: "bad", text: /CA file cannot be read/, cure: /--ca FILE/ },
    },
    "the police's certificate has run out": {
      plant: async () => {
        const authority = ill.pki.issue({ subject: "/CN=CA", authority: true, issuer: null });
        const altNames = "DNS:localhost";
        return serverWith(ill.pki.issue({ subject: "/CN=old", altNames, days: -1, issuer: authority }), authority);
      },
      finds: { check: "endpoint police, TLS", grade: "bad", text: /has expired/, cure: /tell the police/ },
    },
    "the police's certificate is for another name": {
      plant: async () => {
        const authority = ill.pki.issue({ subject: "/CN=CA", authority: true, issuer: null });
        return serverWith(
          ill.pki.issue({ subject: "/CN=x", altNames: "DNS:other.example", issuer: authority }),
          authority,
        );
      },
      finds: { check: "endpoint police, TLS", grade: "bad", text: /for another name/, cure: /not localhost/ },
    },
    "the police's certificate runs out next week": {
      plant: async () => {
        const authority = ill.pki.issue({ subject: "/CN=CA", authority: true, issuer: null });
        const altNames = "DNS:localhost";
        return serverWith(ill.pki.issue({ subject: "/CN=x", altNames, days: 6, issuer: authority }), authority);
      },
      finds: {
        check: "endpoint police, TLS",
        grade: "warning",
        text: /runs out in [56] days/,
        cure: /tell the police/,
      },
    },
    "the WSDL asks for another order": {
      plant: async () => {
        const [, plate = ""] = /(\s*<xsd?:element name="matricula" [\s\S]*?(?:\/>|<\/xsd?:element>))/.exec(WSDL) ?? [];
        expect(plate).not.toBe("");
        writeFileSync(
          file("order.wsdl"),
          WSDL.replace(plate, "").replace(/(\s*<xsd?:element name="imgMatricula")/, `${plate}$1`),
        );
        return { undo: await endpointAt(ill.site.mossos.url, "--wsdl", file("order.wsdl")) };
      },
      finds: {
        check: "endpoint police, WSDL",
        grade: "warning",
        text: /another order, from matricula on/,
        cure: /tattile status/,
      },
    },
    "the WSDL asks for what cannot be filled": {
      plant: async () => {
        writeFileSync(file("more.wsdl"), WSDL.replaceAll(/name="marca"([^>]*) minOccurs="0"/g, 'name="carrosseria"$1'));
        return { undo: await endpointAt(ill.site.mossos.url, "--wsdl", file("more.wsdl")) };
      },
      finds: {
        check: "endpoint police, WSDL",
        grade: "bad",
        text: /cannot fill .*carrosseria/,
        cure: /ask the police/,
      },
    },
    "the WSDL is gone from its address": {
      plant: async () => ({ undo: await endpointAt(ill.site.mossos.url, "--wsdl", `${ill.site.mossos.wsdlUrl}.old`) }),
      finds: { check: "endpoint police, WSDL", grade: "bad", text: /there is none at/, cure: /--wsdl URL/ },
    },
  };
}
