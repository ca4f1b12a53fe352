import ArgumentParser

struct Gradients: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Gather the gradients at every layer: what the network makes of an error there.",
        discussion: """
            `martlet gradients MODEL DATA -o FILE` gathers; `martlet help gradients gather` has its options. `merge` adds up \
            what several machines gathered.
            """,
        subcommands: [GatherGradients.self, MergeGradients.self],
        defaultSubcommand: GatherGradients.self)
}
