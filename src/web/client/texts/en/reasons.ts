import { explainReasons } from "../reasons.ts";

export const reason = explainReasons({
  known: {
    NO_IMAGE_AVAILABLE_OCR: {
      text: "the camera sent no picture of the plate, which the police require.",
      mend: "Let the camera send IMAGE_OCR. What came without cannot be delivered: discard it.",
    },
    NO_IMAGE_FILE_OCR: {
      text: "the picture of the plate is not on the disk any more.",
      mend: "It cannot be delivered: discard it.",
    },
    NO_IMAGE_FILE_CTX: {
      text: "the context picture is not on the disk any more.",
      mend: "It cannot be delivered: discard it.",
    },
    CERTIFICADO_NO_CONFIGURADO: {
      text: "the municipality has no certificate.",
      mend: "Import it: what waits for it is then sent by itself.",
    },
    CERTIFICADO_INCOMPLETO: {
      text: "files of the certificate are missing or do not fit together.",
      mend: "Import it again: what waits for it is then sent by itself.",
    },
    ENDPOINT_URL_NO_CONFIGURADA: {
      text: "no police service is assigned to the municipality.",
      mend: "Assign one: what waits for it is then sent by itself.",
    },
    MAX_REINTENTOS_AGOTADOS: {
      text: "the police did not answer, though they answered for other readings.",
      mend: "Send again. If it happens again, ask the police with the time of the attempts.",
    },
  },
  refused: (code) => ({
    text: `the police refused with code ${code}.`,
    mend: "Ask the police what it means, mend it, then send again.",
  }),
  invalidField: (what) => ({
    text: `a field does not fit what the police allow (${what}).`,
    mend: "Correct it in the camera or its registration, then send again.",
  }),
  mendOther: "Look at one of them, mend it, then send again.",
});
