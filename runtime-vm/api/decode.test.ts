import { expect, test } from "vitest";
import { any, bool, decodeBody, int64, list, map, string, struct, uint64, words } from "./decode.ts";

const shape = struct("network.CreateRequest", {
  Name: string,
  Internal: bool,
  Size: int64,
  Cmd: words,
  Tags: list(string),
  Labels: map(string),
  Ports: map(list(struct("nat.PortBinding", { HostPort: string }))),
  Nested: struct("inner.Thing", { Deep: int64 }),
  Free: any,
});

test("fields match whatever their case, and come out under their own names", () => {
  expect(decodeBody('{"name":"a","INTERNAL":true,"nested":{"DEEP":3}}', shape)).toEqual({ Name: "a", Internal: true, Nested: { Deep: 3 } });
});

test("unknown fields and nulls are left out", () => {
  expect(decodeBody('{"Name":null,"What":1,"Free":[1,{"x":null}]}', shape)).toEqual({ Free: [1, { x: null }] });
});

test("one string stands for a command of one word", () => {
  expect(decodeBody('{"Cmd":"ls"}', shape)).toEqual({ Cmd: ["ls"] });
  expect(decodeBody('{"Cmd":["ls","-l"]}', shape)).toEqual({ Cmd: ["ls", "-l"] });
});

test("a number that the type does not hold is refused", () => {
  expect(() => decodeBody("1e20", int64)).toThrow("cannot unmarshal number 100000000000000000000 into Go value of type int64");
  expect(() => decodeBody("-1e20", int64)).toThrow("of type int64");
  expect(() => decodeBody("1e20", uint64)).toThrow("of type uint64");
  expect(decodeBody("9223372036854775807", int64)).toBe(2 ** 63);
});

test("a null in a map of pointers stays null", () => {
  expect(decodeBody('{"a":null,"b":{"x":"1"}}', map(struct("t.T", { x: string }), { pointers: true }))).toEqual({ a: null, b: { x: "1" } });
});

test("a null list in a map stays null: a port that is exposed, not published", () => {
  expect(decodeBody('{"Ports":{"80/tcp":null,"81/tcp":[{"hostport":"5"}]}}', shape)).toEqual({ Ports: { "80/tcp": null, "81/tcp": [{ HostPort: "5" }] } });
});

test.each([
  ['{"Name":5}', "json: cannot unmarshal number into Go struct field CreateRequest.Name of type string"],
  ["[]", "json: cannot unmarshal array into Go value of type network.CreateRequest"],
  ['""', "json: cannot unmarshal string into Go value of type network.CreateRequest"],
  ['{"Labels":{"a":1}}', "json: cannot unmarshal number into Go struct field CreateRequest.Labels.a of type string"],
  ['{"Tags":"x"}', "json: cannot unmarshal string into Go struct field CreateRequest.Tags of type []string"],
  ['{"Tags":["x",1]}', "json: cannot unmarshal number into CreateRequest.Tags.1 of type string"],
  ['{"Ports":{"80/tcp":[{"HostPort":5}]}}', "json: cannot unmarshal number into Go struct field CreateRequest.Ports.80/tcp.0.HostPort of type string"],
  ['{"Nested":{"Deep":"x"}}', "json: cannot unmarshal string into Go struct field CreateRequest.Nested.Deep of type int64"],
  ['{"Size":1.5}', "json: cannot unmarshal number 1.5 into Go struct field CreateRequest.Size of type int64"],
  ['{"Internal":"yes"}', "json: cannot unmarshal string into Go struct field CreateRequest.Internal of type bool"],
  ["{bad", "invalid character 'b' looking for beginning of object key string"],
  ['{"Name":"x",}', "invalid character '}' looking for beginning of object key string"],
  ['{"Name":"x" 1}', "invalid character '1' after object key:value pair"],
  ['{"Name" 1}', "invalid character '1' after object key"],
  ["[1 2]", "invalid character '2' after array element"],
  ["[1,]", "invalid character ']' looking for beginning of value"],
  ["nul1", "invalid character '1' in literal null (expecting 'l')"],
  ['{"Name":"a\tb"}', "invalid character '\\t' in string literal"],
  ['{"Name":"\\x"}', "invalid character 'x' in string escape code"],
  ["-a", "invalid character 'a' in numeric literal"],
  ['{"Name":"x', "unexpected EOF"],
  ["tru", "unexpected EOF"],
])("%s is refused in Go's words", (body, message) => {
  expect(() => decodeBody(body, shape)).toThrow(`invalid JSON: ${message}`);
});

test("content after the value is refused", () => {
  expect(() => decodeBody('{"Name":"x"} y', shape)).toThrow("unexpected content after JSON");
  expect(decodeBody('{"Name":"x"}\n', shape)).toEqual({ Name: "x" });
});
