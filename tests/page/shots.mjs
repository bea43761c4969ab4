import {chromium} from "playwright-core"; import fs from "node:fs";
const axe=fs.readFileSync("node_modules/axe-core/axe.min.js","utf8");
const B="http://127.0.0.1:8377"; const only=process.argv[2];
const views={runs:"/",denied:"/?denied=true",run:"/runs/0#call-13",denial:"/runs/116",hostile:"/runs/9000000",program:"/runs/45",evals:"/evaluations",eval:"/evaluations/ea",evalbig:"/evaluations/humaneval-coder-20261124T024500000Z",compare:"/evaluations/compare?a=ea&b=eb",bad:"/evaluations/compare?a=ea&b="+encodeURIComponent("humaneval-direct-20261123T180000000Z <b>\u202e"),models:"/models",live:"/live",nope:"/nope"};
const b=await chromium.launch({executablePath:"/usr/bin/chromium",args:["--no-sandbox","--disable-gpu","--disable-quic","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"]});
fs.mkdirSync("shots",{recursive:true});let bad=0;
for(const scheme of ["light","dark"])for(const width of [1280,380]){
 const c=await b.newContext({viewport:{width,height:width>500?860:800},colorScheme:scheme,bypassCSP:false});const p=await c.newPage();
 p.on("console",m=>{if(["error","warning"].includes(m.type())){const t=m.text();if(!/404|422/.test(t)){console.log("CONSOLE",scheme,width,t);bad++;}}});p.on("pageerror",e=>{console.log("PAGEERROR",e.stack);bad++;});
 p.on("dialog",d=>{console.log("DIALOG!",d.message());bad++;d.dismiss();});
 for(const [n,u] of Object.entries(views)){if(only&&!only.split(",").includes(n))continue;
  await p.goto(B+u);await p.waitForSelector("main:not([aria-busy]) h1");if(n=="live")await p.waitForTimeout(3500);
  if(n=="run"){await p.waitForTimeout(150);}
  await p.evaluate(()=>document.fonts.ready);
  await p.screenshot({path:`shots/${n}-${width}-${scheme}.png`});
  const over=await p.evaluate(()=>document.documentElement.scrollWidth-document.documentElement.clientWidth);if(over>0){console.log("OVERFLOW",n,width,over);bad++;}
  const r=await p.evaluate(async src=>{ /* not through CSP: evaluate runs in the page's world */ if(!window.axe){(0,Function);}; return null;},"");
 }
 await c.close();
if(process.env.NOAXE){continue;}
 // axe in a context whose CSP is bypassed
 const c2=await b.newContext({viewport:{width,height:860},colorScheme:scheme,bypassCSP:true});const q=await c2.newPage();
 for(const [n,u] of Object.entries(views)){if(only&&!only.split(",").includes(n))continue;
  await q.goto(B+u);await q.waitForSelector("main:not([aria-busy]) h1");if(n=="live")await q.waitForTimeout(1500);
  if(["run","hostile"].includes(n))await q.evaluate(()=>document.querySelectorAll("details").forEach(d=>d.open=true));
  await q.waitForTimeout(300);
  await q.evaluate(axe);const r=await q.evaluate(()=>axe.run(document,{resultTypes:["violations"]}));
  for(const v of r.violations){console.log("AXE",scheme,width,n,v.impact,v.id,v.nodes.length,v.nodes[0].target.join(" "),v.nodes[0].any[0]?.message??v.nodes[0].failureSummary);bad++;}
 }
 await c2.close();
}
await b.close();console.log("problems:",bad);
