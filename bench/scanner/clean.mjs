// node bench/scanner/clean.mjs: findings in published code that is assumed to be clean. Fetches packages from
// the npm registry into a temporary folder, once, takes their JavaScript and TypeScript, and scans that.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, scan } from './ours.mjs'

const run = promisify(execFile)
const TARGET = 250 * 2 ** 20
const PACKAGES = `typescript rxjs lodash three d3 react-dom @angular/core @angular/common @angular/compiler @angular/router vue
 svelte webpack rollup terser eslint prettier @babel/core @babel/parser @babel/types @babel/traverse antd @mui/material @mui/icons-material
 @mui/system @chakra-ui/react date-fns moment luxon dayjs express fastify koa @nestjs/core @nestjs/common graphql @apollo/client
 mongoose mongodb sequelize typeorm knex pg mysql2 redis ioredis socket.io socket.io-client ws axios got node-fetch undici request
 jsonwebtoken jose passport bcryptjs crypto-js node-forge elliptic tweetnacl ethers viem web3 @solana/web3.js bitcoinjs-lib bip39 bn.js
 @noble/curves @noble/hashes @scure/bip39 firebase firebase-admin @firebase/auth @google-cloud/storage @google-cloud/pubsub googleapis
 google-auth-library aws-sdk @aws-sdk/client-s3 @aws-sdk/client-ec2 @aws-sdk/client-dynamodb @aws-sdk/client-sts @azure/storage-blob
 @azure/identity @azure/msal-browser @azure/msal-node stripe twilio @sendgrid/mail nodemailer @slack/web-api discord.js telegraf openai
 @anthropic-ai/sdk langchain @langchain/core @langchain/community ai zod ajv joi yup jest jest-cli mocha chai sinon vitest puppeteer-core
 playwright-core cypress @testing-library/dom jsdom cheerio handlebars ejs pug mustache marked markdown-it highlight.js prismjs
 monaco-editor codemirror @codemirror/view ace-builds quill tinymce ckeditor4 chart.js echarts highcharts plotly.js-dist-min leaflet ol
 mapbox-gl maplibre-gl cesium @babylonjs/core phaser pixi.js gsap animejs jquery bootstrap foundation-sites tailwindcss postcss
 autoprefixer sass less stylus cssnano core-js regenerator-runtime immer redux @reduxjs/toolkit mobx xstate zustand @tanstack/react-query
 react-router react-native expo ionicons @ionic/core @ionic/angular preact solid-js lit ember-source backbone underscore ramda
 bluebird async q uuid nanoid semver yargs commander chalk ora inquirer winston pino bunyan debug dotenv convict config nconf
 @opentelemetry/api @opentelemetry/sdk-node @sentry/browser @sentry/node newrelic dd-trace bull bullmq agenda kafkajs amqplib nats
 protobufjs @grpc/grpc-js thrift msgpack-lite xml2js fast-xml-parser js-yaml toml ini csv-parse xlsx exceljs pdfkit pdfjs-dist sharp
 jimp fabric konva video.js hls.js shaka-player howler tone @tensorflow/tfjs-core @tensorflow/tfjs brain.js mathjs algebra.js
 @types/node @types/react @types/lodash aws-cdk-lib @pulumi/aws @pulumi/azure-native @pulumi/kubernetes cdktf serverless
 @kubernetes/client-node next nuxt gatsby astro @sveltejs/kit vite esbuild-wasm parcel snowpack @swc/helpers npm yarn pnpm lerna nx
 @storybook/react @storybook/core handsontable ag-grid-community ag-grid-enterprise devextreme primeng primereact @syncfusion/ej2-base
 @fluentui/react office-ui-fabric-react @blueprintjs/core @elastic/eui carbon-components swagger-ui-dist redoc`.split(/\s+/)
const SOURCE = /\.(js|mjs|cjs|jsx|ts|mts|cts|tsx)$/

const folder = process.env.AUTON8N_BENCH_CLEAN ?? join(tmpdir(), 'auton8n-clean')

function bytesOf(directory) {
  let total = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    if (SOURCE.test(entry.name)) total += statSync(path).size
    else rmSync(path)
  }
  return total
}

async function fetchOne(name) {
  const target = join(folder, name.replaceAll('/', '+'))
  if (existsSync(target)) return bytesOf(target)
  const packed = join(folder, `.pack-${name.replaceAll('/', '+')}`)
  mkdirSync(packed, { recursive: true })
  try {
    await run('npm', ['pack', name, '--silent', '--pack-destination', packed], { cwd: packed })
    mkdirSync(target)
    await run('tar', ['-xzf', join(packed, readdirSync(packed)[0]), '-C', target, '--no-same-owner', '--no-same-permissions'])
    return bytesOf(target)
  } catch (error) {
    console.error(`${name} is left out: ${String(error.message).split('\n')[0]}`)
    return 0
  } finally {
    rmSync(packed, { recursive: true, force: true })
  }
}

/** The folder, filled up to 250 MB. */
export async function cleanCode() {
  mkdirSync(folder, { recursive: true })
  let total = 0
  const queue = [...PACKAGES]
  const worker = async () => {
    while (queue.length > 0 && total < TARGET) {
      const bytes = await fetchOne(queue.shift())
      total += bytes
    }
  }
  await Promise.all([worker(), worker(), worker()])
  return folder
}

if (process.argv[1]?.endsWith('clean.mjs')) {
  build()
  const result = scan(await cleanCode())
  const megabytes = result.bytes / 1e6
  for (const one of result.secrets) console.log(`${one.rule} ${one.file}:${one.line}:${one.column} ${one.redacted}`)
  console.log(
    `${result.files} files, ${megabytes.toFixed(1)} MB: ${result.secrets.length} findings, ${(result.secrets.length / megabytes).toFixed(4)} a MB`,
  )
}
