import pytest

HEAD = "image,width,height,class,x1,y1,x2,y2,group_session,stratum_light\n"
BOX = "a.jpg,200,100,can,20,10,60,60,s1,day\n"


def test_rows_of_one_photograph_become_its_boxes(read):
    text = HEAD + BOX + "b.jpg,200,100,,,,,,s2,night\n" + BOX.replace("can", "jar")
    reading = read({"a.jpg": "", "b.jpg": "", "manifest.csv": text}, "csv")
    assert reading.problems == ()
    first, second = reading.records
    assert [box[0] for box in first.boxes] == ["can", "jar"]
    assert first.boxes[0][1:] == pytest.approx((0.1, 0.1, 0.3, 0.6))
    assert (first.groups, first.strata) == ({"session": "s1"}, {"light": "day"})
    assert (first.width, first.height) == (200, 100)
    assert second.annotation == "missing"


PLACED = HEAD.rstrip() + ",product,row,position\n"


def test_each_row_states_what_its_box_is_and_where_it_stands(read):
    rows = [BOX.rstrip() + ",Cola,1,2\n", BOX.rstrip() + ",,,\n", "b.jpg,200,100,,,,,,s2,night,,,\n"]
    reading = read({"a.jpg": "", "b.jpg": "", "manifest.csv": PLACED + "".join(rows)}, "csv")
    assert reading.problems == ()
    assert [record.places for record in reading.records] == [(("Cola", 1, 2), (None, None, None)), ()]


def test_without_columns_of_a_box_product_and_row_are_columns_like_others(read):
    text = "file,label,product,row\na.jpg,glass,Cola,none\n"
    reading = read({"a.jpg": "", "manifest.csv": text}, "csv", groups={"kind": {"column": "product"}})
    assert reading.problems == ()
    assert (reading.records[0].places, reading.records[0].groups) == ((), {"kind": "Cola"})


def test_a_column_of_a_place_can_be_left_out(read):
    text = PLACED + BOX.rstrip() + ",Cola,top,2\n"
    reading = read({"a.jpg": "", "manifest.csv": text}, "csv", ignore=["row"])
    assert reading.problems == ()
    assert reading.records[0].places == (("Cola", None, 2),)


def test_a_photograph_in_two_tables_has_the_same_columns_in_both(read):
    files = {"a.jpg": "", "one.csv": HEAD + BOX, "two.csv": PLACED + BOX.rstrip() + ",Cola,1,2\n"}
    problems = read(files, "csv", annotations=["one.csv", "two.csv"]).problems
    assert [(one.where, one.got) for one in problems] == [("two.csv:2", "position, product, row in one of the two")]


def test_labels_need_no_box_columns_and_any_column_may_serve_a_rule(read):
    text = "file,label,upstream\na.jpg,glass,x\nb.jpg,,y\n"
    rules = {"groups": {"origin": {"column": "upstream"}}, "unlabelled": "negative"}
    reading = read({"a.jpg": "", "b.jpg": "", "manifest.csv": text}, "csv", **rules)
    assert reading.problems == ()
    assert [(record.label, record.annotation) for record in reading.records] == [
        ("glass", "labelled"),
        (None, "negative"),
    ]
    assert [record.groups for record in reading.records] == [{"origin": "x"}, {"origin": "y"}]


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("", "nothing"),
        ("image;label\na.jpg;b\n", "semicolons"),
        ("image\tlabel\na.jpg\tb\n", "tabs"),
        ("width,height\n1,2\n", "width, height"),
        ("image,file\na.jpg,a.jpg\n", "image, file"),
        ("image,a,a\nx,1,2\n", "image, a, a"),
        ("image,class,x1\na.jpg,b,1\n", "class, x1"),
        ("image,a\na.jpg\n", "1"),
        ('image,a\na.jpg,"b\n', "unexpected end of data"),
        ('image,a\na.jpg,"b"c\n', "',' expected after '\"'"),
        ("image\n/a.jpg\n", "'/a.jpg'"),
        ("image\n../a.jpg\n", "'../a.jpg'"),
        ("image\nb.jpg\n", "no b.jpg"),
        ("image\na.jpg\na.jpg\n", "a.jpg again (see manifest.csv:2)"),
        ("image,annotation\na.jpg,perhaps\n", "'perhaps'"),
        ("image,annotation\na.jpg,labelled\n", "labelled"),
        ("image,label,annotation\na.jpg,can,negative\n", "negative"),
        ("image,label\na.jpg,can \n", "'can '"),
        ("image,width\na.jpg,wide\n", "'wide'"),
        (HEAD + BOX.replace("20", "nan"), "'nan'"),
        (HEAD + BOX.replace("60,60", "60,"), "''"),
        (HEAD + BOX.replace("can", ""), "nothing"),
        (HEAD + BOX.replace("200", ""), "'' × '100'"),
        (HEAD + BOX.replace("100", "-3"), "'200' × '-3'"),
        (HEAD + BOX + BOX.replace("s1", "s2"), "'s2'"),
        (HEAD + BOX + "a.jpg,200,100,,,,,,s1,day\n", "a.jpg again (see manifest.csv:2)"),
        (PLACED + BOX.rstrip() + ",Cola,0,1\n", "'0'"),
        (PLACED + BOX.rstrip() + ",Cola,1,left\n", "'left'"),
        (PLACED + BOX.rstrip() + ",Cola,1.5,1\n", "'1.5'"),
        (PLACED + "a.jpg,200,100,,,,,,s1,day,Cola,1,\n", "product 'Cola', row '1'"),
        (b"image\n\xe9.jpg\n", "byte 0xe9 at 6"),
    ],
)
def test_a_broken_table_is_refused_with_the_value_that_was_got(read, text, got):
    problems = read({"a.jpg": "", "manifest.csv": text}, "csv").problems
    assert got in [problem.got for problem in problems]
    assert all(problem.where.startswith("manifest.csv") for problem in problems)


def test_an_absent_manifest_is_named(read):
    problems = read({"a.jpg": ""}, "csv").problems
    assert [problem.where for problem in problems] == ["manifest.csv"]


def test_a_manifest_that_says_nothing_of_labels_makes_no_negatives(read):
    files = {"can/a.jpg": "", "manifest.csv": "image,width,height\ncan/a.jpg,9,9\n"}
    problems = read(files, "csv", unlabelled="negative").problems
    assert [(problem.where, problem.got) for problem in problems] == [("manifest.csv:1", "image, width, height")]
    stated = files | {"manifest.csv": "image,annotation\ncan/a.jpg,negative\n"}
    assert [record.annotation for record in read(stated, "csv", unlabelled="negative").records] == ["negative"]
    assert [record.annotation for record in read(files, "csv", unlabelled="refuse").records] == ["missing"]
