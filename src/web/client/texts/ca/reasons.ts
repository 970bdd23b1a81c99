import { explainReasons } from "../reasons.ts";

export const reason = explainReasons({
  known: {
    NO_IMAGE_AVAILABLE_OCR: {
      text: "la càmera no va enviar la foto de la matrícula, que la policia exigeix.",
      mend: "Feu que la càmera enviï IMAGE_OCR. El que va arribar sense no es pot lliurar: descarteu-ho.",
    },
    NO_IMAGE_FILE_OCR: {
      text: "la foto de la matrícula ja no és al disc.",
      mend: "No es pot lliurar: descarteu-ho.",
    },
    NO_IMAGE_FILE_CTX: {
      text: "la foto de context ja no és al disc.",
      mend: "No es pot lliurar: descarteu-ho.",
    },
    CERTIFICADO_NO_CONFIGURADO: {
      text: "el municipi no té certificat.",
      mend: "Importeu-lo: llavors s’envia tot sol el que l’espera.",
    },
    CERTIFICADO_INCOMPLETO: {
      text: "falten fitxers del certificat o no encaixen entre ells.",
      mend: "Importeu-lo de nou: llavors s’envia tot sol el que l’espera.",
    },
    ENDPOINT_URL_NO_CONFIGURADA: {
      text: "el municipi no té assignat cap servei de la policia.",
      mend: "Assigneu-n’hi un: llavors s’envia tot sol el que l’espera.",
    },
    MAX_REINTENTOS_AGOTADOS: {
      text: "la policia no va respondre, tot i que sí a d’altres lectures.",
      mend: "Envieu de nou. Si es repeteix, pregunteu a la policia amb l’hora dels intents.",
    },
  },
  refused: (code) => ({
    text: `la policia respon amb un rebuig, codi ${code}.`,
    mend: "Pregunteu a la policia què vol dir, corregiu-ho i envieu de nou.",
  }),
  invalidField: (what) => ({
    text: `un camp no cap en el que admet la policia (${what}).`,
    mend: "Corregiu-ho a la càmera o a la seva alta i envieu de nou.",
  }),
  mendOther: "Mireu-ne una, corregiu la causa i envieu de nou.",
});
