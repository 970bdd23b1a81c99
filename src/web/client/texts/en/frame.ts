import type { Texts } from "../texts.ts";
import { readings } from "./words.ts";

export const frame: Pick<Texts, "app" | "login" | "firstRun"> = {
  app: {
    title: "Readings for the police",
    skip: "Skip to the content",
    nav: "Pages",
    overview: "Overview",
    messages: "Queue",
    held: "Quarantine",
    certificates: "Certificates",
    language: "Language",
    theme: "Colours",
    themes: { auto: "As the device", light: "Light", dark: "Dark" },
    logOut: "Log out",
    roles: { viewer: "viewer", operator: "operator", admin: "administrator" },
    loading: "Loading…",
    lost: "No connection: what you see may be old. It is tried again.",
    cancel: "Cancel",
    copy: "Copy",
    copied: "Copied",
    never: "never",
    unknown: "unknown",
    storeAway: (spooled, isFull) =>
      `The database does not answer: nothing is delivered until it does. ${isFull ? "Cameras must keep what comes now, for the disk of this machine is full" : "Cameras notice nothing"}${spooled === null ? "" : `; ${readings(spooled)} ${spooled === 1 ? "waits" : "wait"} in the spool of this machine`}. What stands below may be old.`,
    ago: (age) => `${age} ago`,
    notFound: "There is no such page.",
    needsRole: (role) => `This needs the role ${role}.`,
    more: "There are more; only the first are shown.",
    showMore: "Show more",
  },
  login: {
    title: "Log in",
    token: "Token",
    help: "Somebody with access to the machine makes it:",
    submit: "Log in",
    wrong: "This token is not known, was revoked, or its time is over.",
    tooMany: "Too many failed tries from this address. Wait a quarter of an hour.",
  },
  firstRun: {
    title: "Welcome to tattile",
    text: "Nobody can log in yet. Make the first token on the machine, by console or SSH:",
    after: "The token is shown once. Keep it like a password. This page notices by itself and asks for it.",
    roles:
      "Roles: viewer sees how everything is, but no plates and no pictures; operator sends again and discards; admin does everything.",
  },
};
