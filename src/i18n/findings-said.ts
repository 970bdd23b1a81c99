import type { Translation } from "./translate.ts";

const said = (ca: string, es: string): Translation => ({ ca, es });
const SET_CLOCK = "timedatectl set-ntp true; timedatectl timesync-status";

/** What `doctor` looks at, what it found, and what helps; commands stay as they are. */
export const FINDINGS: Readonly<Record<string, Translation>> = {
  version: said("versió", "versión"),
  "service {1}": said("servei {1}", "servicio {1}"),
  "unit {1}": said("unitat {1}", "unidad {1}"),
  "unit {1}, hardening": said("unitat {1}, proteccions", "unidad {1}, protecciones"),
  updates: said("actualitzacions", "actualizaciones"),
  "restart of the machine": said("reinici de la màquina", "reinicio de la máquina"),
  "port {1}": said("port {1}", "puerto {1}"),
  "folder {1}": said("carpeta {1}", "carpeta {1}"),
  "disk of {1}": said("disc de {1}", "disco de {1}"),
  "disk of {1}, speed": said("disc de {1}, velocitat", "disco de {1}, velocidad"),
  "clock, NTP": said("rellotge, NTP", "reloj, NTP"),
  "pictures, S3": said("imatges, S3", "imágenes, S3"),
  "endpoint {1}, name": said("endpoint {1}, nom", "endpoint {1}, nombre"),
  "endpoint {1}, connection": said("endpoint {1}, connexió", "endpoint {1}, conexión"),
  "endpoint {1}, answer": said("endpoint {1}, resposta", "endpoint {1}, respuesta"),
  "endpoint {1}, clock": said("endpoint {1}, rellotge", "endpoint {1}, reloj"),
  "certificate {1}": said("certificat {1}", "certificado {1}"),
  "certificate {1} of {2}": said("certificat {1} de {2}", "certificado {1} de {2}"),
  "next certificate of {1}": said("pròxim certificat de {1}", "próximo certificado de {1}"),
  "municipality {1}": said("municipi {1}", "municipio {1}"),
  "clocks of cameras": said("rellotges de les càmeres", "relojes de las cámaras"),
  cure: said("remei", "remedio"),
  good: said("bé", "bien"),
  warn: said("avís", "aviso"),
  BAD: said("MAL", "MAL"),
  "{1} bad, {2} warning.": said("{1} malament, {2} avís.", "{1} mal, {2} aviso."),
  "{1} bad, {2} warnings.": said("{1} malament, {2} avisos.", "{1} mal, {2} avisos."),
  "All is fine.": said("Tot va bé.", "Todo va bien."),

  // This machine.
  "not running": said("no està en marxa", "no está en marcha"),
  "runs (process {1}, version {2})": said("en marxa (procés {1}, versió {2})", "en marcha (proceso {1}, versión {2})"),
  "runs version {1}, installed is {2}": said(
    "hi va la versió {1}, i la instal·lada és la {2}",
    "va la versión {1}, y la instalada es la {2}",
  ),
  "died (process {1} is gone)": said("ha mort (el procés {1} ja no hi és)", "ha muerto (el proceso {1} ya no está)"),
  "process {1} does not answer": said("el procés {1} no respon", "el proceso {1} no responde"),
  "not on this machine: what starts tattile again is yours to see to": said(
    "no és en aquesta màquina: el que torna a engegar tattile és cosa vostra",
    "no está en esta máquina: lo que vuelve a arrancar tattile es cosa suya",
  ),
  "tattile is not installed as a service: nothing starts it again": said(
    "tattile no està instal·lat com a servei: res no el torna a engegar",
    "tattile no está instalado como servicio: nada lo vuelve a arrancar",
  ),
  "no unit of tattile is enabled or active": said(
    "cap unitat de tattile no està activada ni en marxa",
    "ninguna unidad de tattile está activada ni en marcha",
  ),
  failed: said("ha fallat", "ha fallado"),
  "not started when the machine starts": said("no arrenca amb la màquina", "no arranca con la máquina"),
  "was restarted {1} times": said("s'ha reiniciat {1} vegades", "se ha reiniciado {1} veces"),
  "its file was changed since it was read": said(
    "el seu fitxer ha canviat des que es va llegir",
    "su fichero ha cambiado desde que se leyó",
  ),
  "lacks {1}": said("li falta {1}", "le falta {1}"),
  "active, started with the machine, hardened": said(
    "en marxa, arrenca amb la màquina, protegida",
    "en marcha, arranca con la máquina, protegida",
  ),
  "no package waits": said("cap paquet en espera", "ningún paquete en espera"),
  "{~1}, {2} for security: {~3}": said("{~1}, {2} de seguretat: {~3}", "{~1}, {2} de seguridad: {~3}"),
  "{~1}, none for security: {~2}": said("{~1}, cap de seguretat: {~2}", "{~1}, ninguno de seguridad: {~2}"),
  "1 package waits": said("1 paquet en espera", "1 paquete en espera"),
  "{#1} packages wait": said("{#1} paquets en espera", "{#1} paquetes en espera"),
  "no apt-get on this machine: they are yours to see to": said(
    "aquesta màquina no té apt-get: són cosa vostra",
    "esta máquina no tiene apt-get: son cosa suya",
  ),
  "not known: {1}": said("no se sap: {1}", "no se sabe: {1}"),
  "it waits for one": said("n'espera un", "espera uno"),
  "it waits for one, for {1}": said("n'espera un, per {1}", "espera uno, por {1}"),
  "sudo reboot, when it suits: the cameras keep their readings meanwhile, nothing is lost": said(
    "sudo reboot, quan vagi bé: mentrestant les càmeres guarden les seves lectures, no es perd res",
    "sudo reboot, cuando convenga: entretanto las cámaras guardan sus lecturas, no se pierde nada",
  ),
  "free for {1}": said("lliure per a {1}", "libre para {1}"),
  "{1} listens there": said("hi escolta {1}", "escucha {1}"),
  "{1} runs, but nobody listens there": said("{1} va, però ningú no hi escolta", "{1} va, pero nadie escucha ahí"),
  "held by {~1}: {2} cannot start": said("el té {~1}: {2} no pot arrencar", "lo tiene {~1}: {2} no puede arrancar"),
  "held by {~1}, not by {2}": said("el té {~1}, i no {2}", "lo tiene {~1}, y no {2}"),
  "a process of another user": said("un procés d'un altre usuari", "un proceso de otro usuario"),
  "stop that program, or set {1} to another port": said(
    "atureu aquell programa, o poseu a {1} un altre port",
    "pare ese programa, o ponga en {1} otro puerto",
  ),
  "can be written ({1})": said("s'hi pot escriure ({1})", "se puede escribir ({1})"),
  "not there yet, will be made ({1})": said("encara no hi és, es crearà ({1})", "aún no está, se creará ({1})"),
  "cannot be written: {1} ({2})": said("no s'hi pot escriure: {1} ({2})", "no se puede escribir: {1} ({2})"),
  "chown -R tattile: {1}; under systemd a folder elsewhere needs ReadWritePaths={2} too": said(
    "chown -R tattile: {1}; amb systemd, una carpeta d'un altre lloc necessita també ReadWritePaths={2}",
    "chown -R tattile: {1}; con systemd, una carpeta de otro sitio necesita también ReadWritePaths={2}",
  ),
  "full, {~1}: the cameras must keep their readings": said(
    "ple, {~1}: les càmeres han de guardar les seves lectures",
    "lleno, {~1}: las cámaras han de guardar sus lecturas",
  ),
  "nearly full, {~1}": said("gairebé ple, {~1}", "casi lleno, {~1}"),
  "full ({1})": said("ple ({1})", "lleno ({1})"),
  "free some space on the disk of {1}": said("feu lloc al disc de {1}", "haga sitio en el disco de {1}"),
  "free some space on it (df -h {1}), or lower DISK_MIN_FREE_BYTES": said(
    "feu-hi lloc (df -h {1}), o abaixeu DISK_MIN_FREE_BYTES",
    "haga sitio en él (df -h {1}), o baje DISK_MIN_FREE_BYTES",
  ),
  "{1} free of {2}": said("{1} lliures de {2}", "{1} libres de {2}"),
  "4 KiB are durable after {1} ms": said("4 KiB queden segurs en {1} ms", "4 KiB quedan seguros en {1} ms"),
  "look for another program that writes much (iotop), and at the disk's health (smartctl -a)": said(
    "busqueu un altre programa que escrigui molt (iotop), i mireu la salut del disc (smartctl -a)",
    "busque otro programa que escriba mucho (iotop), y mire la salud del disco (smartctl -a)",
  ),

  // Clocks and the police's addresses.
  "this clock agrees with {~1}": said("aquest rellotge va com {~1}", "este reloj va como {~1}"),
  "this clock is {1} s behind {~2}": said(
    "aquest rellotge va {1} s endarrerit respecte de {~2}",
    "este reloj va {1} s atrasado respecto de {~2}",
  ),
  "this clock is {1} s ahead of {~2}": said(
    "aquest rellotge va {1} s avançat respecte de {~2}",
    "este reloj va {1} s adelantado respecto de {~2}",
  ),
  "that of the police": said("el de la policia", "el de la policía"),
  "{~1}: the police refuse what is signed with it": said(
    "{~1}: la policia refusa el que s'hi signa",
    "{~1}: la policía rechaza lo que se firma con él",
  ),
  "{~1}: they refuse what is signed with it": said(
    "{~1}: refusen el que s'hi signa",
    "{~1}: rechazan lo que se firma con él",
  ),
  "this clock could not be compared with {1}: {~2}": said(
    "aquest rellotge no s'ha pogut comparar amb {1}: {~2}",
    "este reloj no se ha podido comparar con {1}: {~2}",
  ),
  "no answer": said("no contesta", "no contesta"),
  "allow UDP port 123 to it, or set NTP_SERVER to a time server that answers here (none: not compared)": said(
    "permeteu-hi el port UDP 123, o poseu a NTP_SERVER un servidor de temps que contesti (none: no es compara)",
    "permita ahí el puerto UDP 123, o ponga en NTP_SERVER un servidor de tiempo que conteste (none: no se compara)",
  ),
  "timedatectl set-ntp true; then timedatectl timesync-status": said(SET_CLOCK, SET_CLOCK),
  "this clock agrees with the time server: tell the police that theirs is wrong": said(
    "aquest rellotge va com el servidor de temps: digueu a la policia que el seu va malament",
    "este reloj va como el servidor de tiempo: diga a la policía que el suyo va mal",
  ),
  "no camera sends to it: not looked at": said(
    "cap càmera no hi envia: no s'ha mirat",
    "ninguna cámara envía ahí: no se ha mirado",
  ),
  "stands after {1} ms ({2})": said("feta en {1} ms ({2})", "hecha en {1} ms ({2})"),
  "correct the name ({~1}), or the name servers (resolvectl status)": said(
    "corregiu el nom ({~1}), o els servidors de noms (resolvectl status)",
    "corrija el nombre ({~1}), o los servidores de nombres (resolvectl status)",
  ),
  "correct MOSSOS_ENDPOINT_URL": said("corregiu MOSSOS_ENDPOINT_URL", "corrija MOSSOS_ENDPOINT_URL"),
  "ask who runs the firewall to let port {1} of {2} through, or correct the address: {~3}": said(
    "demaneu a qui porta el tallafoc que deixi passar el port {1} de {2}, o corregiu l'adreça: {~3}",
    "pida a quien lleva el cortafuegos que deje pasar el puerto {1} de {2}, o corrija la dirección: {~3}",
  ),
  "none: plates and pictures can be read on the way": said(
    "no n'hi ha: matrícules i imatges es poden llegir pel camí",
    "no hay: matrículas e imágenes se pueden leer por el camino",
  ),
  "look whether it is the police's service: {~1}": said(
    "mireu si és el servei de la policia: {~1}",
    "mire si es el servicio de la policía: {~1}",
  ),
  "its answer has no Date to compare with": said(
    "la resposta no porta cap Date per comparar",
    "su respuesta no trae Date para comparar",
  ),
  "{1}, the chain is trusted, {2} days left": said(
    "{1}, la cadena és de confiança, queden {2} dies",
    "{1}, la cadena es de confianza, quedan {2} días",
  ),
  "the police's certificate runs out in {1} days": said(
    "el certificat de la policia caduca d'aquí a {1} dies",
    "el certificado de la policía caduca en {1} días",
  ),
  "tell the police; nothing can be done here": said(
    "aviseu la policia; aquí no s'hi pot fer res",
    "avise a la policía; aquí no se puede hacer nada",
  ),
  "tell the police that their certificate has run out; check this clock too": said(
    "digueu a la policia que el seu certificat ha caducat; mireu també aquest rellotge",
    "diga a la policía que su certificado ha caducado; mire también este reloj",
  ),
  "give the address with the name that the certificate has, not {1}: {~2}": said(
    "doneu l'adreça amb el nom que té el certificat, i no {1}: {~2}",
    "dé la dirección con el nombre que tiene el certificado, y no {1}: {~2}",
  ),
  "{~1} with the authority of the police (or what stands between reads along)": said(
    "{~1} amb l'autoritat de la policia (o el que hi ha pel mig ho llegeix)",
    "{~1} con la autoridad de la policía (o lo que hay en medio lo lee)",
  ),
  "look what answers there: {~1}": said("mireu qui hi contesta: {~1}", "mire quién contesta ahí: {~1}"),
  "none is set and none stands beside the address: the built-in contract is used": said(
    "no se n'ha posat cap ni n'hi ha al costat de l'adreça: es fa servir el contracte incorporat",
    "no se ha puesto ninguno ni lo hay junto a la dirección: se usa el contrato incorporado",
  ),
  "{1} fields in the order that is sent": said(
    "{1} camps, en l'ordre en què s'envien",
    "{1} campos, en el orden en que se envían",
  ),
  "the police's fields are not those that are built in: {1}; messages follow the WSDL": said(
    "els camps de la policia no són els incorporats: {1}; els missatges segueixen el WSDL",
    "los campos de la policía no son los incorporados: {1}; los mensajes siguen el WSDL",
  ),
  "the police's fields are not those that are built in: {1}; messages follow the built-in contract": said(
    "els camps de la policia no són els incorporats: {1}; els missatges segueixen el contracte incorporat",
    "los campos de la policía no son los incorporados: {1}; los mensajes siguen el contrato incorporado",
  ),
  "see that the readings are accepted: tattile status": said(
    "mireu que s'acceptin les lectures: tattile status",
    "mire que se acepten las lecturas: tattile status",
  ),

  "{1} and {#2} more": said("{1} i {#2} més", "{1} y {#2} más"),
  "{1}: {~2}": said("{1}: {~2}", "{1}: {~2}"),
  "{~1} ({2}, issued by {3})": said("{~1} ({2}, emès per {3})", "{~1} ({2}, emitido por {3})"),

  // Certificates, the store, cameras.
  "its certificate: {~1} ({2})": said("el certificat: {~1} ({2})", "su certificado: {~1} ({2})"),
  "its key: {~1} ({2})": said("la clau: {~1} ({2})", "su clave: {~1} ({2})"),
  "its key can be read by others (mode {1})": said(
    "la clau la poden llegir altres (mode {1})",
    "su clave la pueden leer otros (modo {1})",
  ),
  "its key belongs to another certificate": said("la clau és d'un altre certificat", "su clave es de otro certificado"),
  "its file holds another certificate than was imported": said(
    "al fitxer hi ha un certificat diferent del que es va importar",
    "en su fichero hay un certificado distinto del que se importó",
  ),
  "ran out on {1}": said("va caducar el {1}", "caducó el {1}"),
  "not valid before {1} UTC": said("no val fins al {1} UTC", "no vale hasta el {1} UTC"),
  "wait until then, or check this clock: timedatectl": said(
    "espereu fins llavors, o mireu aquest rellotge: timedatectl",
    "espere hasta entonces, o mire este reloj: timedatectl",
  ),
  "{1} days left, until {2}": said("queden {1} dies, fins al {2}", "quedan {1} días, hasta el {2}"),
  "key fits, {~1}, {2} days left, a test signature verifies": said(
    "la clau hi va, {~1}, queden {2} dies, una signatura de prova es verifica",
    "la clave encaja, {~1}, quedan {2} días, una firma de prueba se verifica",
  ),
  "chain up to {1}": said("cadena fins a {1}", "cadena hasta {1}"),
  "issued by {1}": said("emès per {1}", "emitido por {1}"),
  "self-signed": said("signat per ell mateix", "autofirmado"),
  "was refused, the earlier one signs again: {1}": said(
    "l'han refusat, torna a signar l'anterior: {1}",
    "lo rechazaron, vuelve a firmar el anterior: {1}",
  ),
  "staged, signs from {1} UTC by itself": said(
    "preparat, signa tot sol des del {1} UTC",
    "preparado, firma por sí solo desde el {1} UTC",
  ),
  "signs, no message was taken with it yet": said(
    "signa, encara no s'ha acceptat cap missatge amb ell",
    "firma, aún no se ha aceptado ningún mensaje con él",
  ),
  "{1}, takes and gives back; every page is sound": said(
    "{1}, desa i torna; cada pàgina està bé",
    "{1}, guarda y devuelve; cada página está bien",
  ),
  "{1}, takes and gives back": said("{1}, desa i torna", "{1}, guarda y devuelve"),
  "{1} is damaged: {2}": said("{1} està malmès: {2}", "{1} está dañado: {2}"),
  "stop tattile, move the file away and restore a backup; the cameras keep what is not received yet": said(
    "atureu tattile, aparteu el fitxer i restaureu una còpia; les càmeres guarden el que encara no s'ha rebut",
    "pare tattile, aparte el fichero y restaure una copia; las cámaras guardan lo que aún no se ha recibido",
  ),
  "has its certificate and its endpoint": said(
    "té el seu certificat i el seu endpoint",
    "tiene su certificado y su endpoint",
  ),
  "has no certificate: nothing is sent": said(
    "no té certificat: no s'envia res",
    "no tiene certificado: no se envía nada",
  ),
  "its readings have no endpoint ({1})": said(
    "les seves lectures no tenen endpoint ({1})",
    "sus lecturas no tienen endpoint ({1})",
  ),
  "no camera is registered and switched on": said(
    "no hi ha cap càmera donada d'alta i activada",
    "no hay ninguna cámara dada de alta y activada",
  ),
  "never heard: {1}": said("no s'han sentit mai: {1}", "nunca se han oído: {1}"),
  "check serial, address and port in the camera, and TRANSIT_ALLOW; tattile listen shows what comes": said(
    "mireu a la càmera la sèrie, l'adreça i el port, i TRANSIT_ALLOW; tattile listen ensenya el que arriba",
    "mire en la cámara la serie, la dirección y el puerto, y TRANSIT_ALLOW; tattile listen enseña lo que llega",
  ),
  "silent for a day: {1}": said("callades des de fa un dia: {1}", "calladas desde hace un día: {1}"),
  "check the camera's power and network": said(
    "mireu el corrent i la xarxa de la càmera",
    "mire la corriente y la red de la cámara",
  ),
  "all {1} were heard within a day": said("s'han sentit totes ({1}) en un dia", "se han oído todas ({1}) en un día"),
  "no readings of a day to tell by; tattile listen shows them live": said(
    "no hi ha lectures d'un dia per saber-ho; tattile listen els ensenya en directe",
    "no hay lecturas de un día para saberlo; tattile listen los enseña en directo",
  ),
  "right in the readings of {1} that were heard": said(
    "bé en les lectures de les {1} que s'han sentit",
    "bien en las lecturas de las {1} que se han oído",
  ),
  "right in the readings of the one that was heard": said(
    "bé en les lectures de la que s'ha sentit",
    "bien en las lecturas de la que se ha oído",
  ),
  "set NTP in the camera, and its zone to CAMERA_TIMEZONE (a whole hour off is a zone)": said(
    "poseu NTP a la càmera, i la seva zona a CAMERA_TIMEZONE (una hora justa de diferència és la zona)",
    "ponga NTP en la cámara, y su zona en CAMERA_TIMEZONE (una hora justa de diferencia es la zona)",
  ),
};
