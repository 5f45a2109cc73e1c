/**
 * Statements in the binlog are in the character set of the client that sent them: against real servers and clients.
 */
import assert from "node:assert/strict";
import { encodingOf } from "../../lib/binlog/statement_charset.ts";
import { Sql } from "../support/sql.ts";
import { here, onServer, replay } from "./binlog_tail_setup.ts";

onServer("DDL is read as the client meant it, whatever character set it speaks", async (server, sql) => {
  const clients: [collation: string, name: string][] = [
    ["UTF8MB4_UNICODE_CI", "ข้อมูล"],
    ["LATIN1_SWEDISH_CI", "größe"],
    ["CP1251_GENERAL_CI", "товар"],
    ["CP850_GENERAL_CI", "gr\ufffd\ufffde"],
    ["CP932_JAPANESE_CI", "予約表"], // its last byte is a backslash
    ["GBK_CHINESE_CI", "订单表"],
    ["BIG5_CHINESE_CI", "訂單"],
  ];
  const start = await here(sql);
  const wanted: string[] = [];
  for (const [collation, name] of clients) {
    await using client = await Sql.open(server.url, collation);
    await client.run("USE shop");
    const meant = name.replace("gr\ufffd\ufffde", "größe");
    for (
      const text of [
        "CREATE TABLE ? (id INT)",
        "TRUNCATE TABLE ?",
        "RENAME TABLE ? TO `a?`",
        "DROP TABLE `a?`",
      ]
    ) {
      await client.run(text.replaceAll("?", meant));
      wanted.push(text.replace(/`?(a?)\?`?/g, `$1${name}`));
    }
  }
  const told = (await replay(server, start, await here(sql))).statements;
  const plain = told.map((text) => text.replaceAll("`", "").replace(/ \/\*.*/, ""));
  for (const text of wanted) assert(plain.some((t) => t.endsWith(text)), `${text} among ${told.join("; ")}`);
});

onServer("every character set that a client may speak is known by its number", async (_server, sql) => {
  const rows = await sql.run(
    "SELECT ID AS id, CHARACTER_SET_NAME AS name FROM information_schema.COLLATIONS WHERE ID IS NOT NULL",
  );
  const same: Record<string, string | null> = {
    ascii: "utf-8",
    binary: "utf-8",
    cp866: "ibm866",
    cp932: "shift_jis",
    eucjpms: "euc-jp",
    euckr: "euc-kr",
    gb2312: "gb18030",
    gbk: "gb18030",
    greek: "iso-8859-7",
    hebrew: "iso-8859-8",
    koi8r: "koi8-r",
    koi8u: "koi8-u",
    latin1: "windows-1252",
    latin2: "iso-8859-2",
    latin5: "windows-1254",
    latin7: "iso-8859-13",
    macroman: "macintosh",
    sjis: "shift_jis",
    tis620: "windows-874",
    ujis: "euc-jp",
  };
  for (const unread of ["armscii8", "cp850", "cp852", "dec8", "geostd8", "hp8", "keybcs2", "macce", "swe7"]) {
    same[unread] = null;
  }
  for (const { id, name } of rows) {
    if (/^(ucs2|utf16|utf32)/.test(name)) continue; // no client may speak these
    const wanted = /^utf8/.test(name) ? "utf-8" : name in same ? same[name] : name.replace("cp", "windows-");
    assert.equal(encodingOf(Number(id)), wanted, `${name} ${id}`);
  }
});
