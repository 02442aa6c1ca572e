import type { HostileClass } from './case.js'

/**
 * Interfaces of the kernel that lead out of a box, or have often been the way. Each is a number of x86-64 and its
 * arguments; `'p'` stands for a pointer to a small buffer. Every one must answer "not permitted" or its like.
 */
export const kernel: HostileClass = {
  calls: {
    'a socket to the hypervisor (vsock)': [41, 40, 1, 0],
    'a socket below the network (packet)': [41, 17, 3, 0],
    'a socket of the crypto interface (alg)': [41, 38, 5, 0],
    'a raw socket': [41, 2, 3, 1],
    'a socket of Bluetooth': [41, 31, 3, 0],
    'a socket of the bus (CAN)': [41, 29, 3, 1],
    'a socket of the packet filter (netlink)': [41, 16, 3, 12],
    'tracing oneself': [101, 0],
    'tracing the keeper': [101, 16, 1],
    'reading the memory of the keeper': [310, 1, 'p', 1, 'p', 1, 0],
    'writing the memory of the keeper': [311, 1, 'p', 1, 'p', 1, 0],
    "taking the keeper's descriptor": [438, 0, 0, 0],
    'comparing with the keeper': [312, 1, 1, 0, 0, 0],
    'a file that never was one (memfd)': [319, 'p', 0],
    'executing a descriptor': [322, 0, 'p', 0, 0, 0x1000],
    'a new user namespace': [272, 0x10000000],
    'a new mount namespace': [272, 0x20000],
    'a new network namespace': [272, 0x40000000],
    'a child in a new user namespace': [56, 0x10000011],
    'a child by the newer call': [435, 'p', 88],
    'entering a namespace': [308, 0, 0],
    'a mount': [165, 'p', 'p', 'p', 0, 0],
    'a mount by the newer calls': [430, 'p', 0],
    'a mount of a tree': [428, -100, 'p', 1],
    'taking a mount away': [166, 'p', 2],
    'another root': [161, 'p'],
    'another root, turned round': [155, 'p', 'p'],
    'a program in the kernel (bpf)': [321, 0, 'p', 120],
    'counters of the processor (perf)': [298, 'p', 0, -1, -1, 0],
    'page faults in user space': [323, 0],
    'rings of calls (io_uring)': [425, 1, 'p'],
    'keys of the kernel': [250, 0, -3, 0],
    'a new key': [248, 'p', 'p', 'p', 1, -3],
    'a device': [133, 'p', 0o20666, 0x101],
    'a named pipe': [133, 'p', 0o10666, 0],
    'a file by its handle': [304, 0, 'p', 0],
    'a handle of a file': [303, -100, 'p', 'p', 'p', 0],
    'a module of the kernel': [175, 'p', 0, 'p'],
    'another kernel': [246, 0, 0, 'p', 0],
    'a restart of the machine': [169, 0xfee1dead, 672274793, 0],
    'swap': [167, 'p', 0],
    'the clock of the machine': [227, 0, 'p'],
    'the name of the machine': [170, 'p', 1],
    'ports of the processor': [172, 3],
    'another personality': [135, 0x0040000],
    'watching all files (fanotify)': [300, 0, 0],
    'quotas': [179, 0, 'p', 0, 'p'],
    'accounting': [163, 'p'],
    'messages of the kernel': [103, 3, 'p', 16],
    'memory shared by number': [29, 0, 4096, 0o1666],
    'a queue shared by number': [68, 0, 0o1666],
    'a queue shared by name': [240, 'p', 0o102, 0o666, 0],
    'pages of another process': [279, 1, 1, 'p', 0, 'p', 0],
    'a filter of its own': [317, 1, 0, 'p'],
    'being root': [105, 0],
    'being the keeper': [105, 65533],
    'groups of root': [116, 1, 'p'],
    'capabilities that it has not': [126, 'p', 'p'],
    'a limit above the limit': [160, 7, 'p'],
  },
}

/** The program that makes each call; it prints those that the kernel let through. */
export function programOfCalls(calls: NonNullable<HostileClass['calls']>): string {
  // The buffer begins with the header of capabilities (version 3, this process) and reads as large numbers elsewhere.
  return `const { dlopen, ptr, FFIType: T } = require('bun:ffi')
    const { symbols: c } = dlopen('libc.so.6', { syscall: { args: Array(7).fill(T.i64), returns: T.i64 } })
    const told = {}
    for (const [name, numbers] of Object.entries(${JSON.stringify(calls)})) {
      const block = Buffer.alloc(256, 0); block.set([0x22, 0x05, 0x08, 0x20]); block.fill(0xff, 8, 32)
      const p = ptr(block); const all = numbers.map((n) => n === 'p' ? p : n)
      const answer = Number(c.syscall(...Array.from({ length: 7 }, (_, i) => all[i] ?? 0)))
      if (numbers[0] === 56 && answer === 0) process.exit()
      told[name] = answer < 0 ? 'refused' : 'reached ' + answer
    }
    console.log(JSON.stringify(told))`
}
