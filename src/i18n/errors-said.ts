import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });

/** Errors and what to try, by their English, with the places of their values. */
export const ERRORS: Readonly<Record<string, Translation>> = {
  "Error:": said("Error:", "Error:"),
  "Try:": said("Proveu:", "Pruebe:"),
  "Warning: {~1}": said("Atenció: {~1}", "Atención: {~1}"),
  // What is not there, or is in the way.
  "unknown {~1} {2}": said("no hi ha cap {~1} {2}", "no hay {~1} {2}"),
  "unknown {~1} {2}; did you mean {3}?": said(
    "no hi ha cap {~1} {2}; volíeu dir {3}?",
    "no hay {~1} {2}; ¿quería decir {3}?",
  ),
  "unknown command {1}": said("no hi ha l'ordre {1}", "no hay la orden {1}"),
  "unknown command {1}; did you mean {2}?": said(
    "no hi ha l'ordre {1}; volíeu dir {2}?",
    "no hay la orden {1}; ¿quería decir {2}?",
  ),
  "unknown held message {1}": said("no hi ha cap missatge retingut {1}", "no hay mensaje retenido {1}"),
  "tattile queue list (a delivered message is erased and no longer listed)": said(
    "tattile queue list (un missatge lliurat s'esborra i ja no hi surt)",
    "tattile queue list (un mensaje entregado se borra y ya no sale)",
  ),
  "adding a token: there is one of that name ({1})": said(
    "en crear el testimoni d'accés: ja n'hi ha un amb aquest nom ({1})",
    "al crear el token: ya hay uno con ese nombre ({1})",
  ),
  "Give it another name, or revoke that one first.": said(
    "doneu-li un altre nom, o revoqueu abans l'altre",
    "dele otro nombre, o revoque antes el otro",
  ),
  "saving the registry: somebody else is changing it": said(
    "no es pot desar el registre: algú altre l'està canviant",
    "no se puede guardar el registro: otro lo está cambiando",
  ),
  "Try again in a moment.": said("torneu-ho a provar d'aquí a un moment", "vuelva a probar dentro de un momento"),
  "removing the camera {1}: still used by {~2}": said(
    "no es pot treure la càmera {1}: encara hi ha {~2}",
    "no se puede quitar la cámara {1}: aún hay {~2}",
  ),
  "removing the municipality {1}: still used by {~2}": said(
    "no es pot treure el municipi {1}: encara el fa servir {~2}",
    "no se puede quitar el municipio {1}: aún lo usa {~2}",
  ),
  "removing the endpoint {1}: still used by {~2}": said(
    "no es pot treure l'endpoint {1}: encara el fa servir {~2}",
    "no se puede quitar el endpoint {1}: aún lo usa {~2}",
  ),
  "removing the certificate {1}: still used by {~2}": said(
    "no es pot treure el certificat {1}: encara el fa servir {~2}",
    "no se puede quitar el certificado {1}: aún lo usa {~2}",
  ),
  "Change or remove what uses it first.": said(
    "canvieu o traieu abans el que el fa servir",
    "cambie o quite antes lo que lo usa",
  ),
  "removing the municipality {1}: readings of {2} are being sent (erased so far: {3})": said(
    "no es pot treure encara el municipi {1}: s'estan enviant lectures de {2} (esborrades fins ara: {3})",
    "aún no se puede quitar el municipio {1}: se están enviando lecturas de {2} (borradas hasta ahora: {3})",
  ),
  "try again in a moment: its cameras are off and go with their last reading": said(
    "torneu-hi d'aquí a un moment: les càmeres estan desactivades i marxen amb la seva última lectura",
    "repita dentro de un momento: las cámaras están desactivadas y se van con su última lectura",
  ),
  // Certificates.
  "reading the PFX file: the password is wrong": said(
    "en llegir el PFX: la contrasenya no és correcta",
    "al leer el PFX: la contraseña no es correcta",
  ),
  "reading the PFX file: the password is wrong (it was empty)": said(
    "en llegir el PFX: la contrasenya no és correcta (era buida)",
    "al leer el PFX: la contraseña no es correcta (estaba vacía)",
  ),
  "Give the password that the file was exported with.": said(
    "doneu la contrasenya amb què es va exportar el fitxer",
    "dé la contraseña con la que se exportó el fichero",
  ),
  "reading the PFX file: no private key in it": said(
    "en llegir el PFX: no porta la clau privada",
    "al leer el PFX: no trae la clave privada",
  ),
  "Export the certificate again, with its private key.": said(
    "torneu a exportar el certificat, amb la clau privada",
    "vuelva a exportar el certificado, con su clave privada",
  ),
  "reading the PFX file: no certificate in it": said(
    "en llegir el PFX: no hi ha cap certificat",
    "al leer el PFX: no hay ningún certificado",
  ),
  "reading the PFX file: the private key is {1}, an RSA key is needed": said(
    "en llegir el PFX: la clau privada és {1}, i ha de ser RSA",
    "al leer el PFX: la clave privada es {1}, y debe ser RSA",
  ),
  "Ask the issuer for a certificate with an RSA key.": said(
    "demaneu a l'emissor un certificat amb clau RSA",
    "pida al emisor un certificado con clave RSA",
  ),
  "reading the PFX file: the private key belongs to none of its {1} certificates": said(
    "en llegir el PFX: la clau privada no és de cap dels seus {1} certificats",
    "al leer el PFX: la clave privada no es de ninguno de sus {1} certificados",
  ),
  "reading the PFX file: the certificate expired on {1} ({2})": said(
    "en llegir el PFX: el certificat va caducar el {1} ({2})",
    "al leer el PFX: el certificado caducó el {1} ({2})",
  ),
  "Ask the issuer for a new one.": said("demaneu-ne un de nou a l'emissor", "pida uno nuevo al emisor"),
  "reading the PFX file: the certificate is not valid before {1} ({2})": said(
    "en llegir el PFX: el certificat no val fins al {1} ({2})",
    "al leer el PFX: el certificado no vale hasta el {1} ({2})",
  ),
  "Check this machine's clock, or wait until that day.": said(
    "mireu el rellotge d'aquesta màquina, o espereu fins a aquell dia",
    "mire el reloj de esta máquina, o espere a ese día",
  ),
  "reading the PFX file: it is not a PFX file": said(
    "en llegir el PFX: no és un fitxer PFX",
    "al leer el PFX: no es un fichero PFX",
  ),
  "reading the PFX file: it is not a PFX file, but PEM text": said(
    "en llegir el PFX: no és un fitxer PFX, sinó text PEM",
    "al leer el PFX: no es un fichero PFX, sino texto PEM",
  ),
  "Give the .pfx or .p12 file as the issuer sent it.": said(
    "doneu el fitxer .pfx o .p12 tal com el va enviar l'emissor",
    "dé el fichero .pfx o .p12 tal como lo envió el emisor",
  ),
  "cert rotate: {1} signs with this certificate already": said(
    "cert rotate: {1} ja signa amb aquest certificat",
    "cert rotate: {1} ya firma con este certificado",
  ),
  "give the next one": said("doneu el pròxim", "dé el próximo"),
  "staging a certificate: another one is being tried now": said(
    "ara mateix se n'està provant un altre",
    "ahora mismo se está probando otro",
  ),
  "cert rotate: nothing is being rotated for {1}": said(
    "cert rotate: no es renova res de {1}",
    "cert rotate: no se renueva nada de {1}",
  ),
  // Files.
  "reading the PFX file: {~1} ({2})": said("en llegir el PFX: {~1} ({2})", "al leer el PFX: {~1} ({2})"),
  "reading the site: {~1} ({2})": said(
    "en llegir el fitxer del lloc: {~1} ({2})",
    "al leer el fichero del sitio: {~1} ({2})",
  ),
  "reading --{1}: {~2} ({3})": said("en llegir --{1}: {~2} ({3})", "al leer --{1}: {~2} ({3})"),
  "name a file that the service's user can read, by its full path": said(
    "indiqueu amb el camí sencer un fitxer que l'usuari del servei pugui llegir",
    "indique con la ruta entera un fichero que el usuario del servicio pueda leer",
  ),
  "writing a file: {~1} ({2})": said("en escriure un fitxer: {~1} ({2})", "al escribir un fichero: {~1} ({2})"),
  "reading the settings file: {1}": said("en llegir el fitxer d'ajustos: {1}", "al leer el fichero de ajustes: {1}"),
  "Name a file that exists, or none.": said(
    "indiqueu un fitxer que existeixi, o cap",
    "indique un fichero que exista, o ninguno",
  ),
  "Run the command as root, or as the user tattile.": said(
    "feu l'ordre com a root (sudo), o com a usuari tattile",
    "dé la orden como root (sudo), o como usuario tattile",
  ),
  // What was typed, and settings.
  "reading the configuration: {~1}": said("en llegir els ajustos: {~1}", "al leer los ajustes: {~1}"),
  '{1} must be {~2} ("{3}", {~4})': said('{1} ha de ser {~2} ("{3}", {~4})', '{1} debe ser {~2} ("{3}", {~4})'),
  "{1} must be {~2} (what it is now is not shown, {~3})": said(
    "{1} ha de ser {~2} (el que hi ha ara no es mostra, {~3})",
    "{1} debe ser {~2} (lo que hay ahora no se muestra, {~3})",
  ),
  "Correct what is named; docs/configuration.md lists every variable.": said(
    "corregiu el que s'indica; docs/configuration.md explica cada variable",
    "corrija lo que se indica; docs/configuration.md explica cada variable",
  ),
  "{1} is {2}, allowed is {~3}": said("{1} és {2}, i ha de ser {~3}", "{1} es {2}, y debe ser {~3}"),
  "{1}: {2} is {3}, allowed are {4}": said("{1}: {2} és {3}, i pot ser {4}", "{1}: {2} es {3}, y puede ser {4}"),
  "camera {1}: one coordinate without the other": said(
    "càmera {1}: una coordenada sense l'altra",
    "cámara {1}: una coordenada sin la otra",
  ),
  "give --x and --y together, or clear both with none": said(
    "doneu --x i --y junts, o esborreu-los tots dos amb none",
    "dé --x y --y juntos, o borre los dos con none",
  ),
  "{1}: unknown flag {2}": said("{1}: no hi ha l'opció {2}", "{1}: no hay la opción {2}"),
  "{1}: unknown flag {2}; did you mean {3}?": said(
    "{1}: no hi ha l'opció {2}; volíeu dir {3}?",
    "{1}: no hay la opción {2}; ¿quería decir {3}?",
  ),
  "{1}: --{2} needs a value": said("{1}: --{2} necessita un valor", "{1}: --{2} necesita un valor"),
  "{1}: --{2} is given twice": said("{1}: --{2} hi és dues vegades", "{1}: --{2} está dos veces"),
  "{1}: --{2} takes no value": said("{1}: --{2} no porta cap valor", "{1}: --{2} no lleva valor"),
  "{1}: unexpected word {2}": said("{1}: sobra {2}", "{1}: sobra {2}"),
  "{1}: the plate is empty": said("{1}: la matrícula és buida", "{1}: la matrícula está vacía"),
  "{1}: nobody to ask (no terminal)": said("{1}: no hi ha ningú a qui preguntar", "{1}: no hay a quién preguntar"),
  "say --yes to go ahead, or --dry-run to only look": said(
    "--yes per tirar endavant, o --dry-run per només mirar",
    "--yes para seguir adelante, o --dry-run para solo mirar",
  ),
  "{~1}: not confirmed, nothing was changed": said(
    "{~1}: no s'ha confirmat, no ha canviat res",
    "{~1}: no se confirmó, no ha cambiado nada",
  ),
  "answer yes, or say --yes": said("contesteu sí, o digueu --yes", "conteste sí, o diga --yes"),
  "asking: given up, nothing was changed": said(
    "s'ha deixat córrer, no ha canviat res",
    "se ha dejado, no ha cambiado nada",
  ),
  // The service, its ports, the machine.
  "listening for cameras: port {1} is taken by {2} (TRANSIT_PORT)": said(
    "en escoltar les càmeres: el port {1} el té {2} (TRANSIT_PORT)",
    "al escuchar las cámaras: el puerto {1} lo tiene {2} (TRANSIT_PORT)",
  ),
  "listening for cameras: port {1} is taken (TRANSIT_PORT)": said(
    "en escoltar les càmeres: el port {1} ja el té un altre (TRANSIT_PORT)",
    "al escuchar las cámaras: el puerto {1} ya lo tiene otro (TRANSIT_PORT)",
  ),
  "Stop that program, or reserve the port (sysctl net.ipv4.ip_local_reserved_ports) and try again.": said(
    "atureu aquell programa, o reserveu el port (sysctl net.ipv4.ip_local_reserved_ports) i torneu-hi",
    "pare ese programa, o reserve el puerto (sysctl net.ipv4.ip_local_reserved_ports) y repita",
  ),
  "stop the service (systemctl stop tattile), or give another port: tattile listen --port 33340": said(
    "atureu el servei (systemctl stop tattile), o doneu un altre port: tattile listen --port 33340",
    "pare el servicio (systemctl stop tattile), o dé otro puerto: tattile listen --port 33340",
  ),
  "listening for {1}: port {2} is taken or not allowed by {3} ({4})": said(
    "en escoltar ({1}): el port {2} el té {3} ({4})",
    "al escuchar ({1}): el puerto {2} lo tiene {3} ({4})",
  ),
  "listening for {1}: port {2} is taken or not allowed ({3})": said(
    "en escoltar ({1}): el port {2} ja el té un altre, o no és permès ({3})",
    "al escuchar ({1}): el puerto {2} ya lo tiene otro, o no está permitido ({3})",
  ),
  "Stop that program, or set {1} to a free port.": said(
    "atureu aquell programa, o poseu a {1} un port lliure",
    "pare ese programa, o ponga en {1} un puerto libre",
  ),
  "restarting: no service of tattile is enabled or running": said(
    "no hi ha cap servei de tattile en marxa ni activat",
    "no hay ningún servicio de tattile en marcha ni activado",
  ),
  "asking systemd: {1} is not on this machine": said(
    "aquesta màquina no té systemd ({1})",
    "esta máquina no tiene systemd ({1})",
  ),
  "asking systemd: {1}": said("systemd diu: {1}", "systemd dice: {1}"),
  "where tattile runs without systemd, look at the output of tattile run, and end and start it as it was started": said(
    "on tattile va sense systemd, mireu què diu tattile run, i atureu-lo i engegueu-lo tal com es va engegar",
    "donde tattile va sin systemd, mire lo que dice tattile run, y párelo y arránquelo como se arrancó",
  ),
  "restarting: systemctl ended with {1}": said(
    "en reiniciar: systemctl ha acabat amb {1}",
    "al reiniciar: systemctl acabó con {1}",
  ),
  "run it with sudo; journalctl -u tattile -n 50 says why a service does not start": said(
    "feu-ho amb sudo; journalctl -u tattile -n 50 diu per què no arrenca un servei",
    "hágalo con sudo; journalctl -u tattile -n 50 dice por qué no arranca un servicio",
  ),
  "a service runs here ({1})": said("aquí hi ha un servei en marxa ({1})", "aquí hay un servicio en marcha ({1})"),
  "wiping everything: still being sent: {~1}": said(
    "no es pot esborrar tot: encara s'està enviant: {~1}",
    "no se puede borrar todo: aún se está enviando: {~1}",
  ),
  "stop tattile on every machine; what one held that died is free in minutes (SENDER_STUCK_TIMEOUT_SECONDS)": said(
    "atureu tattile a totes les màquines; el que en retenia una que ha mort queda lliure en uns minuts (SENDER_STUCK_TIMEOUT_SECONDS)",
    "pare tattile en todas las máquinas; lo que retenía una que murió queda libre en unos minutos (SENDER_STUCK_TIMEOUT_SECONDS)",
  ),
  "opening the data folder: DATA_DIR is not there ({1})": said(
    "en obrir la carpeta de dades: no hi ha DATA_DIR ({1})",
    "al abrir la carpeta de datos: no existe DATA_DIR ({1})",
  ),
  "mount its disk, or make it: {1}": said("munteu-ne el disc, o creeu-la: {1}", "monte su disco, o créela: {1}"),
  "systemctl stop tattile, and again": said("systemctl stop tattile, i torneu-hi", "systemctl stop tattile, y repita"),
  "{1}: the database server cannot be reached or used now ({2}, {3})": said(
    "no s'arriba al servidor de la base de dades, o ara no es pot fer servir ({2}, {3}; {1})",
    "no se llega al servidor de la base de datos, o ahora no se puede usar ({2}, {3}; {1})",
  ),
  "{1}: the disk is full ({2})": said("el disc és ple ({2}; {1})", "el disco está lleno ({2}; {1})"),
  "Free space on the disk of DATA_DIR.": said("feu lloc al disc de DATA_DIR", "haga sitio en el disco de DATA_DIR"),
  "{1}: the database stayed locked by another process ({2})": said(
    "un altre procés té bloquejada la base de dades ({2}; {1})",
    "otro proceso tiene bloqueada la base de datos ({2}; {1})",
  ),
  "{1}: the file cannot be made or opened for writing": said(
    "el fitxer de la base de dades no es pot crear ni obrir per escriure ({1})",
    "el fichero de la base de datos no se puede crear ni abrir para escribir ({1})",
  ),
  "Check that the folder exists and belongs to the user tattile runs as.": said(
    "mireu que la carpeta existeixi i sigui de l'usuari amb què va tattile",
    "mire que la carpeta exista y sea del usuario con el que va tattile",
  ),
  "reading the WSDL: {~1} ({2})": said("en llegir el WSDL: {~1} ({2})", "al leer el WSDL: {~1} ({2})"),
  "fetching the WSDL: {~1} ({2})": said("en demanar el WSDL: {~1} ({2})", "al pedir el WSDL: {~1} ({2})"),
};
