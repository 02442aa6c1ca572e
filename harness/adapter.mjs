// A database of one agent's short life, in memory: what AgentRuntime's initialize() and a plugin's calls need.
import { randomUUID } from 'node:crypto'
import { DatabaseAdapter } from '@elizaos/core'

/**
 * @typedef {import('@elizaos/core').UUID} UUID
 * @typedef {import('@elizaos/core').Memory} Memory
 * @typedef {import('@elizaos/core').Task} Task
 * @typedef {import('@elizaos/core').Relationship} Relationship
 */

/** @returns {UUID} */
const newId = () => /** @type {UUID} */ (randomUUID())

/**
 * Logs are dropped, embeddings are not kept, and there are no tables to migrate.
 * @extends {DatabaseAdapter<undefined>}
 */
export class MemoryAdapter extends DatabaseAdapter {
  /** @override */
  db = undefined
  /** @type {Map<UUID, import('@elizaos/core').Agent>} */
  #agents = new Map()
  /** @type {Map<UUID, import('@elizaos/core').Entity>} */
  #entities = new Map()
  /** @type {Map<UUID, import('@elizaos/core').Component>} */
  #components = new Map()
  /** @type {Map<UUID, { table: string, memory: Memory }>} */
  #memories = new Map()
  /** @type {Map<UUID, import('@elizaos/core').World>} */
  #worlds = new Map()
  /** @type {Map<UUID, import('@elizaos/core').Room>} */
  #rooms = new Map()
  /** @type {Map<UUID, Map<UUID, 'FOLLOWED'|'MUTED'|null>>} room to its participants */
  #participants = new Map()
  /** @type {Map<UUID, Relationship>} */
  #relationships = new Map()
  /** @type {Map<string, unknown>} */
  #cache = new Map()
  /** @type {Map<UUID, Task>} */
  #tasks = new Map()

  async initialize() {}
  async init() {}
  async runPluginMigrations() {}
  async close() {}
  async isReady() { return true }
  async getConnection() { return undefined }
  async ensureEmbeddingDimension() {}
  async log() {}
  async getLogs() { return [] }
  async deleteLog() {}

  /** @param {UUID} id */
  async getAgent(id) { return this.#agents.get(id) ?? null }
  async getAgents() { return [...this.#agents.values()] }
  /** @param {Partial<import('@elizaos/core').Agent>} agent */
  async createAgent(agent) {
    const id = agent.id ?? newId()
    this.#agents.set(id, /** @type {import('@elizaos/core').Agent} */ ({ ...agent, id }))
    return true
  }
  /** @param {UUID} id @param {Partial<import('@elizaos/core').Agent>} agent */
  async updateAgent(id, agent) {
    const old = this.#agents.get(id)
    if (old) this.#agents.set(id, { ...old, ...agent })
    return old !== undefined
  }
  /** @param {UUID} id */
  async deleteAgent(id) { return this.#agents.delete(id) }

  /** @param {UUID[]} ids */
  async getEntitiesByIds(ids) { return ids.flatMap((id) => this.#entities.get(id) ?? []) }
  /** @param {UUID} room */
  async getEntitiesForRoom(room) { return this.getEntitiesByIds([...(this.#participants.get(room)?.keys() ?? [])]) }
  /** @param {import('@elizaos/core').Entity[]} entities */
  async createEntities(entities) {
    for (const entity of entities) {
      const id = entity.id ?? newId()
      this.#entities.set(id, { ...entity, id })
    }
    return true
  }
  /** @param {import('@elizaos/core').Entity} entity */
  async updateEntity(entity) { if (entity.id) this.#entities.set(entity.id, entity) }

  /** @param {UUID} entity @param {string} type @param {UUID} [world] @param {UUID} [source] */
  async getComponent(entity, type, world, source) {
    return (await this.getComponents(entity, world, source)).find((one) => one.type === type) ?? null
  }
  /** @param {UUID} entity @param {UUID} [world] @param {UUID} [source] */
  async getComponents(entity, world, source) {
    return [...this.#components.values()].filter((one) => one.entityId === entity &&
      (world === undefined || one.worldId === world) && (source === undefined || one.sourceEntityId === source))
  }
  /** @param {import('@elizaos/core').Component} component */
  async createComponent(component) {
    this.#components.set(component.id, component)
    return true
  }
  /** @param {import('@elizaos/core').Component} component */
  async updateComponent(component) { this.#components.set(component.id, component) }
  /** @param {UUID} id */
  async deleteComponent(id) { this.#components.delete(id) }

  /** @param {(memory: Memory, table: string) => boolean} wanted */
  #select(wanted) {
    return [...this.#memories.values()].filter(({ table, memory }) => wanted(memory, table)).map(({ memory }) => memory)
  }
  /**
   * @param {{ entityId?: UUID, agentId?: UUID, count?: number, unique?: boolean, tableName: string, start?: number,
   *   end?: number, roomId?: UUID, worldId?: UUID }} params
   */
  async getMemories(params) {
    const found = this.#select((memory, table) => table === params.tableName &&
      (params.roomId === undefined || memory.roomId === params.roomId) &&
      (params.entityId === undefined || memory.entityId === params.entityId) &&
      (params.worldId === undefined || memory.worldId === params.worldId) &&
      (params.start === undefined || (memory.createdAt ?? 0) >= params.start) &&
      (params.end === undefined || (memory.createdAt ?? 0) <= params.end))
    found.sort((left, right) => (right.createdAt ?? 0) - (left.createdAt ?? 0))
    return params.count === undefined ? found : found.slice(0, params.count)
  }
  /** @param {{ tableName: string, roomIds: UUID[], limit?: number }} params */
  async getMemoriesByRoomIds(params) {
    return this.#select((memory, table) => table === params.tableName && params.roomIds.includes(memory.roomId))
      .slice(0, params.limit)
  }
  /** @param {{ worldId: UUID, count?: number, tableName?: string }} params */
  async getMemoriesByWorldId(params) {
    return this.#select((memory, table) => memory.worldId === params.worldId &&
      (params.tableName === undefined || table === params.tableName)).slice(0, params.count)
  }
  /** @param {UUID} id */
  async getMemoryById(id) { return this.#memories.get(id)?.memory ?? null }
  /** @param {UUID[]} ids @param {string} [tableName] */
  async getMemoriesByIds(ids, tableName) {
    return this.#select((memory, table) => memory.id !== undefined && ids.includes(memory.id) &&
      (tableName === undefined || table === tableName))
  }
  async getCachedEmbeddings() { return [] }
  /** There are no embeddings, so nothing is near. @returns {Promise<Memory[]>} */
  async searchMemories() { return [] }
  /** @param {Memory} memory @param {string} table */
  async createMemory(memory, table) {
    const id = memory.id ?? newId()
    this.#memories.set(id, { table, memory: { createdAt: Date.now(), ...memory, id } })
    return id
  }
  /** @param {Partial<Memory> & { id: UUID }} memory */
  async updateMemory(memory) {
    const old = this.#memories.get(memory.id)
    if (old) old.memory = { ...old.memory, ...memory }
    return old !== undefined
  }
  /** @param {UUID} id */
  async deleteMemory(id) { this.#memories.delete(id) }
  /** @param {UUID[]} ids */
  async deleteManyMemories(ids) { for (const id of ids) this.#memories.delete(id) }
  /** @param {UUID} room @param {string} tableName */
  async deleteAllMemories(room, tableName) {
    for (const [id, { table, memory }] of this.#memories) {
      if (table === tableName && memory.roomId === room) this.#memories.delete(id)
    }
  }
  /** @param {UUID} room @param {boolean} [_unique] @param {string} [tableName] */
  async countMemories(room, _unique, tableName) {
    return this.#select((memory, table) =>
      memory.roomId === room && (tableName === undefined || table === tableName)).length
  }

  /** @param {UUID} id */
  async getWorld(id) { return this.#worlds.get(id) ?? null }
  async getAllWorlds() { return [...this.#worlds.values()] }
  /** @param {import('@elizaos/core').World} world */
  async createWorld(world) {
    const id = world.id ?? newId()
    this.#worlds.set(id, { ...world, id })
    return id
  }
  /** @param {import('@elizaos/core').World} world */
  async updateWorld(world) { this.#worlds.set(world.id, world) }
  /** @param {UUID} id */
  async removeWorld(id) { this.#worlds.delete(id) }

  /** @param {UUID[]} ids */
  async getRoomsByIds(ids) { return ids.flatMap((id) => this.#rooms.get(id) ?? []) }
  /** @param {UUID} world */
  async getRoomsByWorld(world) { return [...this.#rooms.values()].filter((room) => room.worldId === world) }
  /** @param {import('@elizaos/core').Room[]} rooms */
  async createRooms(rooms) {
    return rooms.map((room) => {
      const id = room.id ?? newId()
      this.#rooms.set(id, { ...room, id })
      return id
    })
  }
  /** @param {import('@elizaos/core').Room} room */
  async updateRoom(room) { this.#rooms.set(room.id, room) }
  /** @param {UUID} id */
  async deleteRoom(id) { this.#rooms.delete(id) }
  /** @param {UUID} world */
  async deleteRoomsByWorldId(world) { for (const { id } of await this.getRoomsByWorld(world)) this.#rooms.delete(id) }

  /** @param {UUID} entity */
  async getRoomsForParticipant(entity) { return this.getRoomsForParticipants([entity]) }
  /** @param {UUID[]} entities */
  async getRoomsForParticipants(entities) {
    const joined = [...this.#participants].filter(([, members]) => entities.some((one) => members.has(one)))
    return joined.map(([room]) => room)
  }
  /** @param {UUID[]} entities @param {UUID} room */
  async addParticipantsRoom(entities, room) {
    const members = this.#participants.get(room) ?? new Map()
    for (const entity of entities) if (!members.has(entity)) members.set(entity, null)
    this.#participants.set(room, members)
    return true
  }
  /** @param {UUID} entity @param {UUID} room */
  async removeParticipant(entity, room) { return this.#participants.get(room)?.delete(entity) ?? false }
  /** @param {UUID} entity @returns {Promise<import('@elizaos/core').Participant[]>} */
  async getParticipantsForEntity(entity) {
    const known = this.#entities.get(entity)
    return known && (await this.getRoomsForParticipant(entity)).length > 0 ? [{ id: entity, entity: known }] : []
  }
  /** @param {UUID} room */
  async getParticipantsForRoom(room) { return [...(this.#participants.get(room)?.keys() ?? [])] }
  /** @param {UUID} room @param {UUID} entity */
  async isRoomParticipant(room, entity) { return this.#participants.get(room)?.has(entity) ?? false }
  /** @param {UUID} room @param {UUID} entity */
  async getParticipantUserState(room, entity) { return this.#participants.get(room)?.get(entity) ?? null }
  /** @param {UUID} room @param {UUID} entity @param {'FOLLOWED'|'MUTED'|null} state */
  async setParticipantUserState(room, entity, state) { this.#participants.get(room)?.set(entity, state) }

  /**
   * @param {{ sourceEntityId: UUID, targetEntityId: UUID, tags?: string[],
   *   metadata?: import('@elizaos/core').Metadata }} params
   */
  async createRelationship(params) {
    const id = newId()
    const agentId = this.#agents.keys().next().value ?? id
    this.#relationships.set(id, { tags: [], metadata: {}, ...params, id, agentId, createdAt: new Date().toISOString() })
    return true
  }
  /** @param {{ sourceEntityId: UUID, targetEntityId: UUID }} params */
  async getRelationship(params) {
    return [...this.#relationships.values()].find((one) =>
      one.sourceEntityId === params.sourceEntityId && one.targetEntityId === params.targetEntityId) ?? null
  }
  /** @param {{ entityId: UUID, tags?: string[] }} params */
  async getRelationships(params) {
    return [...this.#relationships.values()].filter((one) =>
      (one.sourceEntityId === params.entityId || one.targetEntityId === params.entityId) &&
      (params.tags ?? []).every((tag) => one.tags.includes(tag)))
  }
  /** @param {Relationship} relationship */
  async updateRelationship(relationship) { this.#relationships.set(relationship.id, relationship) }

  /** @template T @param {string} key @returns {Promise<T|undefined>} */
  async getCache(key) { return /** @type {T|undefined} */ (this.#cache.get(key)) }
  /** @template T @param {string} key @param {T} value */
  async setCache(key, value) {
    this.#cache.set(key, value)
    return true
  }
  /** @param {string} key */
  async deleteCache(key) { return this.#cache.delete(key) }

  /** @param {Task} task */
  async createTask(task) {
    const id = task.id ?? newId()
    this.#tasks.set(id, { ...task, id })
    return id
  }
  /** @param {{ roomId?: UUID, tags?: string[], entityId?: UUID }} params */
  async getTasks(params) {
    return [...this.#tasks.values()].filter((task) => (params.roomId === undefined || task.roomId === params.roomId) &&
      (params.entityId === undefined || task.entityId === params.entityId) &&
      (params.tags ?? []).every((tag) => task.tags.includes(tag)))
  }
  /** @param {UUID} id */
  async getTask(id) { return this.#tasks.get(id) ?? null }
  /** @param {string} name */
  async getTasksByName(name) { return [...this.#tasks.values()].filter((task) => task.name === name) }
  /** @param {UUID} id @param {Partial<Task>} task */
  async updateTask(id, task) {
    const old = this.#tasks.get(id)
    if (old) this.#tasks.set(id, { ...old, ...task })
  }
  /** @param {UUID} id */
  async deleteTask(id) { this.#tasks.delete(id) }
}
