import type { Texts } from "../texts.ts";
import { days } from "./words.ts";

export const certificates: Pick<Texts, "certificates"> = {
  certificates: {
    title: "Certificates",
    municipality: "Municipality",
    subject: "Issued to",
    ends: "Valid until",
    left: "Left",
    days,
    over: "run out",
    none: "No certificate is in use.",
    import: "Import a certificate",
    drop: "Drop the .pfx or .p12 file here",
    choose: "Choose a file",
    chosen: (name) => `File: ${name}`,
    password: "Password of the file",
    forMunicipality: "For the municipality",
    submit: "Import",
    done: (municipality) => `The certificate of ${municipality} is in use now. What waited for it is being sent.`,
    staged: (municipality) =>
      `The certificate of ${municipality} is ready: it will be used by itself once it is valid.`,
    notPfx: "This is no PFX file: its name ends in .pfx or .p12.",
    tooLarge: "This file is larger than 1 MB: it is no PFX file.",
  },
};
