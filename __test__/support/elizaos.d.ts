// These two publish no types that their `exports` lead to; what the tests use of them is declared here.
declare module '@elizaos/plugin-bootstrap' {
  export const bootstrapPlugin: import('@elizaos/core').Plugin
}

declare module '@elizaos/plugin-sql' {
  import type { IDatabaseAdapter, Plugin, UUID } from '@elizaos/core'
  const plugin: Plugin
  export default plugin
  export function createDatabaseAdapter(
    config: { dataDir?: string },
    agentId: UUID,
  ): IDatabaseAdapter & { getDatabase(): unknown }
  export class DatabaseMigrationService {
    initializeWithDatabase(database: unknown): Promise<void>
    discoverAndRegisterPluginSchemas(plugins: Plugin[]): void
    runAllPluginMigrations(): Promise<void>
  }
}
