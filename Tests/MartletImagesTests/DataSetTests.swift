import CMartletZlib
import Foundation
import MartletFiles
import Testing

@testable import MartletImages

@Suite struct ImageFilesTests {
    let folder: TemporaryFolder
    let picture: [UInt8]

    init() throws {
        folder = try TemporaryFolder()
        picture = try Goldens.bytes("rgb8.png")
    }

    @Test func classFoldersInTheOrderOfTheirBytes() throws {
        for name in ["b/2.png", "b/10.PNG", "B/x.JPEG", "c/notes.txt", "a/.hidden.png", ".d/x.png"] {
            try folder.write(picture, name)
        }
        let set = try DataSets.open(folder.path)
        #expect(set.labelSource == .folderOrder)
        #expect(set.classNames == ["B", "a", "b", "c"])
        #expect((0..<set.count).map(set.name) == ["B/x.JPEG", "b/10.PNG", "b/2.png"])
        #expect((0..<set.count).map(set.label) == [0, 2, 2])
        let sample = try set.sample(at: 1)
        #expect(sample.label == 2 && sample.name == "b/10.PNG" && sample.image.width == 13)
    }

    @Test func classMapGivesTheLabels() throws {
        for name in ["n00000007/a.png", "lynx/b.png"] { try folder.write(picture, name) }
        let map = try TemporaryFolder()
        let path = try map.write("n00000001 cat\nn00000007 great dog\r\nn00000003 lynx\n", "classes.txt")
        let set = try DataSets.open(folder.path, labels: path)
        #expect(set.labelSource == .classMap)
        #expect((0..<set.count).map(set.label) == [2, 1])
        #expect(set.classNames == ["cat", "great dog", "lynx"])
        try folder.write(picture, "hound/a.png")
        #expect(throws: DataSetError.foldersNotInClassMap(path: folder.path, folders: ["hound"], classMap: path)) {
            try DataSets.open(folder.path, labels: path)
        }
    }

    @Test func flatFolderAndSingleImage() throws {
        for name in ["z.png", "a.jpg", "m.txt"] { try folder.write(picture, name) }
        let set = try DataSets.open(folder.path)
        #expect((0..<set.count).map(set.name) == ["a.jpg", "z.png"])
        #expect(set.labelSource == .none && !set.isLabelled && set.label(at: 0) == nil)
        let single = try DataSets.open(folder.path + "/m.txt")
        #expect(single.count == 1)
        #expect(try single.sample(at: 0).image.height == 11)
    }

    @Test func foldersThatAreNoDataSet() throws {
        #expect(throws: FileError.self) { try DataSets.open(folder.path + "/none") }
        #expect(throws: DataSetError.noImages(path: folder.path)) { try DataSets.open(folder.path) }
        try folder.write("x", "a/readme.txt")
        #expect(throws: DataSetError.noImages(path: folder.path)) { try DataSets.open(folder.path) }
        try folder.write(picture, "a/1.png")
        try folder.write(picture, "2.png")
        #expect(throws: DataSetError.imagesBesideFolders(path: folder.path, image: "2.png", folder: "a")) {
            try DataSets.open(folder.path)
        }
        try folder.write("x", "a/1.webp")
        #expect(throws: DataSetError.unsupportedFiles(path: folder.path + "/a", names: ["1.webp"])) {
            try DataSets.open(folder.path)
        }
        try folder.write("x", "data.txt")
        #expect(throws: DataSetError.unknownKind(path: folder.path + "/data.txt")) {
            try DataSets.open(folder.path + "/data.txt")
        }
    }

    @Test func linksAreFollowed() throws {
        let elsewhere = try TemporaryFolder()
        try elsewhere.write(picture, "x/1.png")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/k", withDestinationPath: elsewhere.path + "/x")
        #expect(try DataSets.open(folder.path).name(at: 0) == "k/1.png")
    }

    @Test func listsOfPathAndLabel() throws {
        try folder.write(picture, "in/a, b.png")
        try folder.write(picture, "c.png")
        let map = try folder.write("cat\nbig dog\ncrane\ncrane\n", "classes.txt")
        let path = try folder.write(
            "Path,Label\n\"in/a, b.png\", 7\n\n\(folder.path)/c.png,\"big dog\"\r\n", "list.csv")
        let set = try DataSets.open(path, labels: map)
        #expect((0..<set.count).map(set.label) == [7, 1])
        #expect(set.labelSource == .stated)
        #expect(try set.sample(at: 0).image.width == 13)
        let bare = try DataSets.open(try folder.write("c.png\n", "bare.csv"))
        #expect(bare.labelSource == .none)

        func refused(_ text: String, _ expected: (String) -> DataSetError) throws {
            let path = try folder.write(text, "bad.csv")
            #expect(throws: expected(path)) { try DataSets.open(path, labels: map) }
        }
        try refused("c.png,1\nd.png,2\n") { .missingImage(list: $0, line: 2, path: folder.path + "/d.png") }
        try refused("c.png,crane\n") {
            .unknownLabel(path: $0, line: 1, label: "crane", reason: "stands for several classes of \(map)")
        }
        try refused("c.png,cow\n") {
            .unknownLabel(path: $0, line: 1, label: "cow", reason: "is not in the class map \(map)")
        }
        try refused("c.png,-1\n") { .unknownLabel(path: $0, line: 1, label: "-1", reason: "is negative") }
        try refused("c.png,1,2\n") { .malformedCSV(path: $0, line: 1, reason: "expected a path and a label") }
        try refused("c.png,1\nc.png\n") {
            .malformedCSV(path: $0, line: 2, reason: "some lines have a label and some have none")
        }
        try refused("\"c.png,1\n") {
            .malformedCSV(path: $0, line: 1, reason: "a quotation mark without its partner")
        }
        try refused("\n\n") { .noImages(path: $0) }
        #expect(throws: DataSetError.self) { try DataSets.open(folder.write("c.png,cat", "named.csv")) }
    }

    @Test func csvQuotation() {
        #expect(csvFields(#"a,b"#) == ["a", "b"])
        #expect(csvFields(#" a b , "c""d,e" "#) == ["a b", #"c"d,e "#])
        #expect(csvFields(#"a,"#) == ["a", ""])
        #expect(csvFields(#"a"b,c"#) == [#"a"b"#, "c"])
        #expect(csvFields(#""a"#) == nil)
    }

    @Test func classMaps() throws {
        let plain = try ClassMap(lines: ["n01440764 tench", "other fish"], path: "x")
        #expect(plain.names == ["n01440764 tench", "other fish"])
        #expect(plain.identifiers == nil)
        #expect(plain.index(of: "other fish") == 1)
        #expect(throws: DataSetError.malformedClassMap(path: "x", line: 2, reason: "the line is blank")) {
            try ClassMap(lines: ["a", " ", "b"], path: "x")
        }
        #expect(throws: DataSetError.self) { try ClassMap(lines: [], path: "x") }
        #expect(throws: DataSetError.self) { try ClassMap(lines: ["n01440764 a", "n01440764 b"], path: "x") }
        guard let shared = sharedFolder() else { return }
        let imagenet = try ClassMap(contentsOf: shared + "/data/imagenet-classes.txt")
        #expect(imagenet.count == 1000)
        #expect(imagenet.index(of: "n01440764") == 0)
        #expect(imagenet.index(of: "great white shark") == 2)
        #expect(imagenet.index(of: "crane") == nil && imagenet.isAmbiguous("crane"))
    }

    @Test func digestsTellDataSetsApart() throws {
        try folder.write(picture, "a/1.png")
        try folder.write(picture, "b/1.png")
        let digest = try DataSets.open(folder.path).digest()
        #expect(digest.hasPrefix("fnv1a64:") && digest.count == 24)
        #expect(try DataSets.open(folder.path).digest() == digest)
        try FileManager.default.moveItem(atPath: folder.path + "/b/1.png", toPath: folder.path + "/b/2.png")
        let renamed = try DataSets.open(folder.path).digest()
        #expect(renamed != digest)
        try folder.write(Goldens.bytes("rgba8.png"), "b/2.png")
        #expect(try DataSets.open(folder.path).digest() != renamed)
        // The hash's published test vector.
        #expect(hash(Array("foobar".utf8)) == "85944171f73967e8")
    }

    @Test func subsets() throws {
        for i in 0..<10 { try folder.write(picture, "c\(i / 5)/\(i).png") }
        let set = try DataSets.open(folder.path)
        let spread = try set.limited(to: 4)
        #expect((0..<4).map(spread.name) == ["c0/0.png", "c0/2.png", "c1/5.png", "c1/7.png"])
        #expect((0..<4).map(spread.label) == [0, 0, 1, 1])
        #expect(try set.limited(to: 99).count == 10)
        for i in 0..<10 { try folder.write(picture, "flat/\(i).png") }
        let flat = try DataSets.open(folder.path + "/flat").limited(to: 5)
        #expect((0..<5).map(flat.name) == ["0.png", "2.png", "4.png", "6.png", "8.png"])
        #expect(try Subset(set, limit: 3, choice: .first).indices == [0, 1, 2])
        let random = try Subset(set, limit: 6, choice: .random(seed: 1))
        #expect(Set(random.indices).count == 6 && random.indices == random.indices.sorted())
        #expect(try Subset(set, limit: 6, choice: .random(seed: 1)).indices == random.indices)
        #expect(try (2..<9).contains { try Subset(set, limit: 6, choice: .random(seed: $0)).indices != random.indices })
        #expect(throws: DataSetError.unsupportedLimit(0)) { try set.limited(to: 0) }
    }
}

@Suite struct SubsetTests {
    @Test func drawsAsManyOfEachClass() throws {
        let folder = try TemporaryFolder()
        let picture = try Goldens.bytes("rgb8.png")
        for (name, count) in [("a", 7), ("b", 2), ("c", 5)] {
            for image in 0..<count { try folder.write(picture, "\(name)/\(image).png") }
        }
        let set = try DataSets.open(folder.path)
        func classes(_ limit: Int, seed: UInt64) throws -> [Int] {
            let subset = try Subset(set, limit: limit, choice: .byClass(seed: seed))
            #expect(Set(subset.indices).count == subset.count)
            return (0..<3).map { label in (0..<subset.count).count { subset.label(at: $0) == label } }
        }
        #expect(try classes(6, seed: 1) == [2, 2, 2])
        #expect(try classes(10, seed: 1) == [4, 2, 4])
        #expect(try classes(99, seed: 1) == [7, 2, 5])
        let draws = try (0..<8).map { try Subset(set, limit: 6, choice: .byClass(seed: $0)).indices }
        #expect(try Subset(set, limit: 6, choice: .byClass(seed: 3)).indices == draws[3])
        #expect(Set(draws).count > 1)
        #expect(throws: DataSetError.noLabels(path: folder.path + "/a")) {
            try Subset(try DataSets.open(folder.path + "/a"), limit: 2, choice: .byClass(seed: 0))
        }
    }

    @Test func shufflesAndCuts() throws {
        let folder = try TemporaryFolder()
        let picture = try Goldens.bytes("rgb8.png")
        for image in 0..<9 { try folder.write(picture, "\(image).png") }
        let set = try DataSets.open(folder.path)
        let shuffled = Subset(set, shuffledWith: 4)
        #expect(shuffled.indices.sorted() == Array(0..<9) && shuffled.indices != Array(0..<9))
        #expect(Subset(set, shuffledWith: 4).indices == shuffled.indices)
        let part = Subset(set, range: 7..<12)
        #expect((0..<part.count).map(part.name) == ["7.png", "8.png"])
        let small = ResizedImages(set, to: .shorterSide(5), interpolation: .bicubic)
        let image = try small.sample(at: 0).image
        #expect(image.width == 5 && image.height == 5 && small.count == 9)
    }
}
