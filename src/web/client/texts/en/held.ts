import type { Texts } from "../texts.ts";
import { messages } from "./words.ts";

export const held: Pick<Texts, "held"> = {
  held: {
    title: "Quarantine",
    unregistered: "Cameras that are not registered",
    unregisteredHelp: "What they sent is kept. Once the camera is registered it is delivered.",
    malformed: "Messages that could not be understood",
    malformedHelp:
      "Check which fields the camera sends. After that, what is held here can be taken in again or erased.",
    readerCode: "Reader code",
    readerHelp: "codiLector, given by the police, at most 16 characters",
    description: "Description (as you like)",
    empty: "Nothing is held.",
    reason: "What is wrong",
    from: "From",
    received: "Received",
    size: "Size",
    again: "Take in again",
    drop: "Erase",
    waiting: (count) => `${messages(count)} held`,
    allFields: (serial) => `Give ${serial} coordinates, another service or a time zone too`,
    registered: (serial) => `Camera ${serial} is registered. What is held of it is being taken up.`,
    results: (results) => `Done: ${results}.`,
    dropSure: (count) => `Erase ${messages(count)}? This cannot be undone.`,
    dropped: (count) => `${messages(count)} erased.`,
    outcomes: {
      queued: "queued",
      duplicate: "known already",
      inactive: "camera switched off",
      unregistered: "camera not registered",
      "not-read": "without plate",
      quarantined: "still not understood",
      malformed: "still not understood",
      gone: "content not kept",
    },
  },
};
