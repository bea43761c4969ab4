import {chromium} from "playwright-core";
const b=await chromium.launch({executablePath:"/usr/bin/chromium",args:["--no-sandbox","--disable-gpu","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"]});
const p=await b.newPage({viewport:{width:1280,height:860}});
await p.goto("http://127.0.0.1:8377/");await p.waitForSelector("tbody tr");await p.waitForTimeout(800);
const out=[];for(let i=0;i<10;i++){out.push(await p.evaluate(()=>new Promise(done=>{const body=document.querySelector("tbody");const t=performance.now();let dom;new MutationObserver((_,o)=>{o.disconnect();dom=performance.now()-t;const api=performance.getEntriesByType("resource").filter(e=>e.name.includes("/api/runs")).at(-1);requestAnimationFrame(()=>setTimeout(()=>done([api.startTime-t,api.responseEnd-t,dom,performance.now()-t].map(Math.round))));}).observe(body,{childList:true});document.querySelector("[name=denied]").click();})));await p.waitForTimeout(500);}
console.log(out.map(x=>x.join("/")).join("  "),"(asked/answered/dom/painted)");await b.close();
