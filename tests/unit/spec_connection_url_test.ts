import assert from "node:assert/strict";
import fc from "fast-check";
import { FerryError } from "../../lib/errors.ts";
import {
  type ConnectionSsl,
  maskText,
  maskUrl,
  parseConnectionUrl,
  readConnectionUrl,
} from "../../lib/spec/connection_url.ts";

Deno.test("a connection URL gives host, port, user and password, decoded", () => {
  assert.deepEqual(parseConnectionUrl("mysql://a%40b:p%23%2F%3A%20%C3%A9@db.example:3307/"), {
    host: "db.example",
    port: 3307,
    user: "a@b",
    password: "p#/: é",
    ssl: null,
  });
  assert.deepEqual(parseConnectionUrl("mysql://u@h"), {
    host: "h",
    port: 3306,
    user: "u",
    password: "",
    ssl: null,
  });
  assert.equal(parseConnectionUrl("mysql://u:p@[::1]:3310").host, "::1");
  assert.equal(parseConnectionUrl("mysql://u:p+q@h").password, "p+q");
});

const SSL: readonly (readonly [query: string, ssl: ConnectionSsl | null])[] = [
  ["", null],
  ["?ssl-mode=disabled", null],
  ["?ssl-mode=preferred", { mode: "preferred" }],
  ["?ssl-mode=REQUIRED", { mode: "required" }],
  ["?ssl-mode=VERIFY_IDENTITY&ssl-ca=/etc/a+b%20c.pem", { mode: "verify-identity", ca: "/etc/a+b c.pem" }],
  ["?ssl-ca=ca.pem", { mode: "verify-ca", ca: "ca.pem" }],
  ["?ssl-cert=c.pem&ssl-key=k.pem", { mode: "required", cert: "c.pem", key: "k.pem" }],
];

for (const [query, ssl] of SSL) {
  Deno.test(`TLS of "${query}" is ${JSON.stringify(ssl)}`, () => {
    assert.deepEqual(parseConnectionUrl(`mysql://u:p@h/${query}`).ssl, ssl);
  });
}

const WRONG: readonly (readonly [url: string, faults: readonly RegExp[]])[] = [
  ["postgres://u:hunter2@h", [/no URL of the form/]],
  ["mysql://u:hunt#er2@h", [/percent-encoding/]],
  ["mysql://u:12#hunter2@h", [/no user/, /fragment/]],
  ["mysql://u:12/hunter2@h", [/no user/, /path/]],
  ["mysql://u:12?hunter2@h", [/no user/, /unknown query parameter/]],
  ["mysql://u:hun ter2@h", [/percent-encoding/]],
  ["mysql://u:hunter2%zz@h", [/password with broken percent-encoding/]],
  ["mysql://u:hunter2@h/shop", [/path/]],
  ["mysql://u:hunter2@h/?charset=x&ssl-mode=maybe&ssl-cert=c", [
    /unknown query/,
    /both or none/,
    /unknown ssl-mode/,
  ]],
  ["mysql://u:hunter2@h/?ssl-ca=a&ssl-ca=b", [/twice/]],
  ["mysql://u:hunter2@h/?ssl-ca=", [/without a value/]],
  ["mysql://u:hunter2@h:0", [/port 0/]],
];

for (const [url, faults] of WRONG) {
  Deno.test(`"${url}" is refused with every fault named and no password shown`, () => {
    const reading = readConnectionUrl(url);
    assert("faults" in reading);
    assert.equal(reading.faults.length, faults.length, reading.faults.join("\n"));
    for (const [index, fault] of faults.entries()) assert.match(reading.faults[index], fault);
    assert.throws(() => parseConnectionUrl(url), (error) => {
      assert(error instanceof FerryError && error.code === "invalid-connection-url");
      assert.doesNotMatch(error.message, /hunt|ter2/);
      return true;
    });
    assert.doesNotMatch(maskUrl(url), /hunt|ter2|12/);
  });
}

Deno.test("a masked URL keeps user, host and port only, and masking it again changes nothing", () => {
  const masked = maskUrl("mysql://a%40b:secret@h/?ssl-ca=/x.pem");
  assert.equal(masked, "mysql://a%40b:***@h:3306");
  assert.equal(maskUrl(masked), masked);
  assert.equal(maskUrl("mysql://u:p@[::1]:3307"), "mysql://u:***@[::1]:3307");
});

Deno.test("a URL inside of a text loses its password, whatever stands around it", () => {
  assert.equal(
    maskText('no route to "mysql://u:p@ss@h:1/x", nor mysql://v:q@i'),
    'no route to "mysql://u:***@h:1/x", nor mysql://v:***@i',
  );
});

/** Passwords that cannot be found in a text by chance. */
const password = fc.string({ unit: "binary", minLength: 1, maxLength: 12 }).map((text) => `Zq9${text}Zq9`);

Deno.test("any password comes back from its URL, and neither mask shows a trace of it", () => {
  fc.assert(fc.property(password, fc.webPath(), (secret, path) => {
    const url = `mysql://app:${encodeURIComponent(secret)}@db:3307`;
    assert.equal(parseConnectionUrl(url).password, secret);
    assert.doesNotMatch(maskUrl(url), /Zq9/);
    assert.doesNotMatch(maskText(`${path} ${url} ${path}`), /Zq9/);
  }));
});

Deno.test("any text put raw into a URL as a password is never shown by a mask or a fault", () => {
  fc.assert(fc.property(fc.string({ maxLength: 12 }).map((text) => `Zq9${text}Zq9`), (secret) => {
    const url = `mysql://app:${secret}@db:3307`;
    assert.doesNotMatch(maskUrl(url), /Zq9/);
    const reading = readConnectionUrl(url);
    if ("faults" in reading) assert.doesNotMatch(reading.faults.join(), /Zq9/);
  }));
});
