import assert from "node:assert"; const P="/work/wt/page/host/src/serve/page/";
globalThis.Node=class{};
const {parsed}=await import(P+"value.js");const {files}=await import(P+"files.js");const {plain}=await import(P+"dom.js");const T=await import(P+"text.js");
assert.equal(parsed("[".repeat(70)+"]".repeat(70)),null);assert.ok(parsed("[".repeat(60)+"]".repeat(60)));assert.deepEqual(parsed('{"a":"[[[[{{\\"'+"[".repeat(100)+'"}'),{a:'[[[[{{"'+"[".repeat(100)});assert.equal(parsed("{"),null);assert.equal(parsed("42"),null);
assert.deepEqual(files([160]),[]);assert.equal(files([191]),null);assert.equal(files([187,255,255,255,255,255,255,255,255]),null);assert.equal(files([]),null);
const f=[161,97,97,130,0,129,66,104,105];assert.deepEqual(files(f),[["a","hi"]]);assert.deepEqual(files([161,97,97,246]),[["a",null]]);
assert.deepEqual(files([161,97,98,130,1,130,88,32,...Array(32).fill(171),25,16,109]),[["b",{sha256:"ab".repeat(32),length:4205}]]);
for(let i=0;i<200000;i++){const a=Array.from({length:Math.random()*30|0},()=>Math.random()*256|0);a.unshift(160+(Math.random()*24|0));files(a);}
assert.equal(plain("a\u001b[0m\u202e\u{1f600}\ud800"),"a^[[0mU+202E😀U+D800");assert.equal(plain("é שלום 👩‍👩‍👧\n\t"),"é שלום 👩‍👩‍👧\n\t");
assert.equal(T.grouped("18446744073709551615"),"18,446,744,073,709,551,615");assert.equal(T.took(999999),"1.0 s");assert.equal(T.points(-0.125),"−12.5");assert.equal(T.took(21884),"21.9 ms");
console.log("unit ok");
