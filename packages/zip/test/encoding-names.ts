/** Names as people give them, by language. */
export const NAMES: Readonly<Record<string, string>> = {
  'zh-Hans': `新建文件夹/说明.txt 张伟简历.doc 2023年度财务报表.xlsx 照片/三亚旅游/IMG_001.jpg 毕业论文终稿.docx 合同扫描件.pdf
    周杰伦-青花瓷.mp3 课程设计报告.doc 会议纪要0312.docx 员工花名册.xls 安装说明.txt 驱动程序/声卡/setup.exe 高等数学习题解答.pdf
    产品手册(最新).pdf 李娜.jpg 工程图纸/一层平面.dwg 备份/数据库/订单.sql 请假条.doc 宝宝一周岁.mp4 房屋租赁协议.docx
    电影/流浪地球.mkv 考研英语单词.txt 营业执照副本.jpg 发票抬头.txt 未命名.psd 桌面壁纸/风景.png 施工组织方案.doc 采购清单.xlsx
    大学物理实验.ppt 系统日志.log 字体/微软雅黑.ttf 使用必读.htm 小学五年级语文.doc 客户联系方式.csv 游戏存档.dat 读我.txt
    春节放假安排.docx 项目进度跟踪表.xlsx 身份证正反面.jpg 更新内容.txt`,
  'zh-Hant': `新增資料夾/說明.txt 王小明履歷.doc 年度財務報表.xlsx 照片/墾丁旅遊/IMG_001.jpg 畢業論文.docx 合約掃描檔.pdf
    五月天-知足.mp3 課程大綱.doc 會議紀錄0312.docx 員工名冊.xls 安裝說明.txt 驅動程式/音效卡/setup.exe 微積分解答.pdf 產品型錄.pdf
    陳美玲.jpg 工程圖/一樓平面.dwg 備份/資料庫/訂單.sql 請假單.doc 寶寶滿月.mp4 房屋租賃契約.docx 電影/海角七號.mkv 英文單字.txt
    營業登記證.jpg 發票.txt 未命名.psd 桌布/風景.png 施工計畫書.doc 採購清單.xlsx 普通物理實驗.ppt 系統紀錄.log 字型/新細明體.ttf
    使用前必讀.htm 國小五年級國語.doc 客戶聯絡方式.csv 遊戲存檔.dat 讀我.txt 春節放假公告.docx 專案進度表.xlsx 身分證影本.jpg 更新內容.txt`,
  ja: `新しいフォルダー/説明.txt 田中太郎_履歴書.doc 平成30年度決算.xlsx 写真/沖縄旅行/IMG_001.jpg 卒業論文.docx 契約書.pdf
    さくら.mp3 議事録0312.docx 社員名簿.xls はじめにお読みください.txt ドライバ/サウンド/setup.exe 微分積分の解答.pdf 製品カタログ.pdf
    鈴木花子.jpg 平面図/一階.dwg バックアップ/データベース/注文.sql 休暇届.doc 運動会.mp4 賃貸借契約.docx 映画/となりのトトロ.mkv
    英単語リスト.txt 請求書_株式会社山田.pdf 領収書.jpg 名称未設定.psd 壁紙/富士山.png 施工計画.doc 見積もり.xlsx 物理実験レポート.ppt
    ログ.log フォント/明朝.ttf 使い方.htm 国語プリント.doc 顧客一覧.csv セーブデータ.dat お知らせ.txt 年末年始の予定.docx 工程表.xlsx
    免許証.jpg 変更履歴.txt 家計簿.xls`,
  ko: `새 폴더/설명.txt 홍길동_이력서.doc 2023년 재무제표.xlsx 사진/제주도여행/IMG_001.jpg 졸업논문.docx 계약서.pdf 아이유-좋은날.mp3
    강의계획서.doc 회의록0312.docx 직원명단.xls 설치방법.txt 드라이버/사운드/setup.exe 미적분 풀이.pdf 제품안내.pdf 김철수.jpg
    도면/1층평면도.dwg 백업/데이터베이스/주문.sql 휴가신청서.doc 돌잔치.mp4 임대차계약.docx 영화/기생충.mkv 영어단어장.txt 견적서.xlsx
    영수증.jpg 제목없음.psd 바탕화면/풍경.png 시공계획.doc 구매목록.xlsx 물리실험보고서.ppt 로그.log 글꼴/굴림.ttf 사용법.htm 국어교과서.doc
    고객연락처.csv 게임저장.dat 읽어보세요.txt 연휴안내.docx 일정표.xlsx 주민등록증.jpg 변경사항.txt`,
  ru: `Новая папка/описание.txt Резюме_Иванов.doc Отчёт за 2023 год.xlsx Фото/Сочи/IMG_001.jpg Диплом.docx Договор аренды.pdf
    Кино-Группа крови.mp3 курсовая.doc Протокол совещания.docx Список сотрудников.xls ПРОЧТИ.txt Драйверы/звук/setup.exe
    Матанализ решения.pdf Каталог.pdf Мария.jpg Чертежи/план этажа.dwg резервная копия/база.sql Заявление на отпуск.doc свадьба.mp4
    Счёт-фактура.docx Фильмы/Брат.mkv слова.txt Смета.xlsx чек.jpg Безымянный.psd обои/лес.png Проект.doc Закупки.xlsx лаба.ppt
    журнал.log шрифты/Гарнитура.ttf инструкция.htm Русский язык 5 класс.doc Контакты.csv сохранения.dat ЗАМЕТКИ.TXT Приказ №12.docx
    график.xlsx паспорт.jpg изменения.txt`,
  de: `Über uns.txt Müller_Lebenslauf.doc Jahresübersicht.xlsx Fotos/Österreich/IMG_001.jpg Prüfung.docx Verträge.pdf Grönemeyer-Männer.mp3
    Übung 3.doc Geschäftsführung.docx Gehälter.xls Anhänge.txt Größe.pdf Straße.jpg Grundriß.dwg Aufträge/März.sql Kündigung.doc
    Geburtstag für Jürgen.mp4 Mietverträge.docx Filme/Das weiße Band.mkv Wörter.txt Kostenvoranschläge.xlsx Rücksendung.jpg
    Schriftstück.psd Hintergründe/Schloß.png Entwürfe.doc Einkäufe.xlsx Körper.ppt Änderungen.log Frühling.ttf Erläuterung.htm
    Französisch.doc Empfänger.csv Spielstände.dat Lies mich zuerst - Änderung.txt Öffnungszeiten.docx Pläne.xlsx Führerschein.jpg
    Präsentation.pptx Bücher.pdf Rückmeldung.eml`,
  fr: `Présentation.txt CV_François.doc Résultats annuels.xlsx Photos/Été à Nîmes/IMG_001.jpg Mémoire.docx Contrat signé.pdf
    Céline Dion.mp3 Théâtre.doc Procès-verbal réunion.docx Employés.xls À lire.txt Numérisation.pdf Hélène.jpg Rez-de-chaussée.dwg
    Données/Années.sql Congés.doc Noël.mp4 Bail à loyer - annexé.docx Films/Amélie.mkv Leçons.txt Devis détaillé.xlsx Reçu.jpg
    Sans intitulé.psd Forêt.png Schéma.doc Dépenses.xlsx Médecine.ppt Événements.log Caractères.ttf Fenêtre.htm Français.doc
    Répertoire.csv Sauvegardé.dat Modèle.docx Planning été.xlsx Pièce d'identité.jpg Itinéraire.pdf Où aller.txt Chèques.xls Vidéo.avi`,
  es: `Presentación.txt Currículum.doc Año fiscal.xlsx Fotos/España/IMG_001.jpg Tesis Íñigo.docx Jurídico.pdf Canción.mp3 Matemáticas.doc
    Reunión.docx Nómina.xls Léeme.txt Instalación.pdf Catálogo.pdf Niña.jpg Baño.dwg Órdenes/Código.sql Petición.doc Cumpleaños.mp4
    Alquiler - cláusulas.docx Películas/El laberinto.mkv Inglés.txt Cotización.xlsx Recibo México.jpg Montaña.png Diseño.doc Compras niños.xlsx
    Física.ppt Conexión.log Música.m3u Guía.htm Educación.doc Teléfonos.csv Contraseñas.dat Vacaciones de enero - días.docx Programación.xlsx
    Cédula.jpg Facturación.pdf Número.txt Árbol.ttf Peña.eml`,
}

/** The encodings in which archives have names of these languages, by what Python calls them. */
export const ENCODED: readonly (readonly [language: string, python: string])[] = [
  ['zh-Hans', 'gbk'],
  ['zh-Hant', 'cp950'],
  ['ja', 'cp932'],
  ['ko', 'cp949'],
  ['ru', 'cp1251'],
  ['ru', 'cp866'],
  ['de', 'cp437'],
  ['de', 'cp850'],
  ['de', 'cp1252'],
  ['fr', 'cp850'],
  ['fr', 'cp1252'],
  ['es', 'cp850'],
  ['es', 'cp1252'],
]
